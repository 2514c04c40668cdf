/** `busybox:latest` out of Debian's busybox-static: one static program under the names of everything it can be. */
import { chmod, copyFile, link, mkdir, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BerthError } from '../../../api/errors.ts';
import { runTool } from '../../../host/process/run-tool.ts';
import { unpackedPackage } from './apt.ts';
import type { Recipe } from './recipe.ts';

const accounts = [
  ['root', 0, '/root', '/bin/sh'],
  ['daemon', 1, '/usr/sbin', '/bin/false'],
  ['bin', 2, '/bin', '/bin/false'],
  ['sys', 3, '/dev', '/bin/false'],
  ['mail', 8, '/var/spool/mail', '/bin/false'],
  ['www-data', 33, '/var/www', '/bin/false'],
  ['nobody', 65534, '/home', '/bin/false'],
] as const;

const groups =
  'root:0 daemon:1 bin:2 sys:3 adm:4 tty:5 disk:6 mail:8 wheel:10 utmp:43 www-data:33 audio:29 cdrom:24 dialout:18 floppy:19 video:28 staff:50 users:100 nogroup:65534';

const directories: [path: string, mode: number][] = [
  ['bin', 0o755],
  ['dev', 0o755],
  ['etc', 0o755],
  ['home', 0o755],
  ['proc', 0o755],
  ['root', 0o700],
  ['sys', 0o755],
  ['tmp', 0o1777],
  ['usr', 0o755],
  ['usr/bin', 0o755],
  ['usr/sbin', 0o755],
  ['var', 0o755],
  ['var/spool', 0o755],
  ['var/spool/mail', 0o755],
  ['var/www', 0o755],
];

/** A fixed date: one program, one image. */
const made = new Date('2026-01-01T00:00:00Z');

export const busyboxRecipe: Recipe = {
  config: { Cmd: ['sh'] },
  async build(root, context) {
    const { signal } = context;
    const programs = await unpackedPackage('busybox-static', context.scratch, { signal });
    const program = await firstOf(['usr/bin/busybox', 'bin/busybox'].map((path) => join(programs, path)));
    context.say('Making the tree of busybox');
    for (const [path, mode] of directories) {
      await mkdir(join(root, path), { recursive: true });
      await chmod(join(root, path), mode);
    }
    const busybox = join(root, 'bin', 'busybox');
    await copyFile(program, busybox);
    await chmod(busybox, 0o755);
    const names = (await runTool([program, '--list'], { signal })).split('\n');
    for (const name of new Set(names)) {
      if (name !== '' && name !== 'busybox' && !name.includes('/')) await link(busybox, join(root, 'bin', name));
    }
    await writeAccounts(root);
    const files = ['passwd', 'group', 'shadow', 'nsswitch.conf'].map((name) => `etc/${name}`);
    for (const path of ['bin/busybox', ...files, ...directories.map(([name]) => name).reverse(), '.'])
      await utimes(join(root, path), made, made);
    return { created: made, createdBy: 'busybox-static' };
  },
};

/** The first of these files that is there. */
async function firstOf(paths: string[]): Promise<string> {
  for (const path of paths) {
    // Where it lies differs between Debian's releases.
    const found = await stat(path).catch(() => null);
    if (found) return path;
  }
  throw new BerthError('unavailable', 'package busybox-static has no busybox');
}

async function writeAccounts(root: string): Promise<void> {
  const etc = (name: string): string => join(root, 'etc', name);
  const passwd = accounts.map(([name, id, home, shell]) => `${name}:x:${id}:${id}:${name}:${home}:${shell}\n`);
  await writeFile(etc('passwd'), passwd.join(''), { mode: 0o644 });
  await writeFile(
    etc('group'),
    groups
      .split(' ')
      .map((entry) => `${entry.replace(':', ':x:')}:\n`)
      .join(''),
    { mode: 0o644 },
  );
  await writeFile(etc('shadow'), accounts.map(([name]) => `${name}:*::0:::::\n`).join(''), { mode: 0o640 });
  await writeFile(etc('nsswitch.conf'), 'passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n', {
    mode: 0o644,
  });
}
