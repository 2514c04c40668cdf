/**
 * `debian:<suite>` by debootstrap, Debian's own installer, from the mirror that the host's apt uses. What differs from a plain
 * debootstrap is what makes a good base image: nothing of this machine, no caches, no services started by packages.
 */
import { access, chmod, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BerthError } from '../../../api/errors.ts';
import { runTool } from '../../../host/process/run-tool.ts';
import { hostSources, mirrorSettings, type SuiteSources, suiteSources, unpackedPackage } from './apt.ts';
import type { Recipe, RecipeContext } from './recipe.ts';

const archiveKeyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** @param suite code name or `stable`, `testing`, `sid` */
export function debianRecipe(suite: string): Recipe {
  return {
    config: { Cmd: ['bash'] },
    async build(root, context) {
      const sources = suiteSources(suite, await hostSources(context));
      context.say(`Using the packages of ${sources.mirror}`);
      await prepare(root);
      await debootstrap(root, { suite, mirror: sources.mirror, context });
      const created = await releaseDate(root);
      await tidy(root, created);
      await configure(root, { sources, settings: await mirrorSettings(context) });
      await settleDates(root, created, context);
      return { created, createdBy: `debootstrap --variant=minbase ${suite}` };
    },
  };
}

/** Unpacking need not be synced file by file: the store syncs the whole layer. */
async function prepare(root: string): Promise<void> {
  const settings = join(root, 'etc', 'dpkg', 'dpkg.cfg.d');
  await mkdir(settings, { recursive: true });
  await writeFile(join(settings, 'berth-speed'), 'force-unsafe-io\n');
}

async function debootstrap(
  root: string,
  what: { suite: string; mirror: string; context: RecipeContext },
): Promise<void> {
  const { suite, mirror, context } = what;
  const { program, env } = await findDebootstrap(context);
  if (!(await exists('/usr/bin/wget'))) env.PATH = `${await wgetOfApt(context)}:${env.PATH}`;
  const keyring = (await exists(archiveKeyring))
    ? archiveKeyring
    : join(await unpackedPackage('debian-archive-keyring', context.scratch, context), archiveKeyring);
  // Inside, apt can only read an https mirror with certificates of its own.
  const include = mirror.startsWith('https:') ? ['--include=ca-certificates'] : [];
  // Its mounts (/proc, /sys) live in namespaces of their own and go with them, however this ends.
  const propagation = (await isMountPoint('/')) ? 'private' : 'unchanged';
  const isolated = ['unshare', '--mount', '--pid', '--fork', '--kill-child', '--propagation', propagation];
  const problems: string[] = [];
  try {
    await runTool(
      [
        ...isolated,
        program,
        '--variant=minbase',
        `--keyring=${keyring}`,
        '--force-check-gpg',
        ...include,
        suite,
        root,
        mirror,
      ],
      {
        signal: context.signal,
        env,
        onLine: (line) => {
          if (line.startsWith('I: ')) context.say(line.slice(3));
          if (/^[EW]: /.test(line)) problems.push(line.slice(3));
        },
      },
    );
  } catch (error) {
    context.signal.throwIfAborted();
    throw new BerthError(
      'unavailable',
      `debian:${suite} cannot be made: ${problems.at(-1) ?? (error as Error).message}`,
      {
        cause: error,
        hint: 'The host’s apt must reach a Debian mirror that has this suite.',
      },
    );
  }
}

/** In a plain chroot the root is no mount, and its propagation cannot be changed. */
async function isMountPoint(path: string): Promise<boolean> {
  const mounts = await readFile('/proc/self/mountinfo', 'utf8');
  return mounts.split('\n').some((line) => line.split(' ')[4] === path);
}

/** The host's debootstrap, or one that is unpacked for this run only. */
async function findDebootstrap(context: RecipeContext): Promise<{ program: string; env: Record<string, string> }> {
  const env: Record<string, string> = {
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    DEBIAN_FRONTEND: 'noninteractive',
  };
  if (await exists('/usr/sbin/debootstrap')) return { program: '/usr/sbin/debootstrap', env };
  context.say('Fetching debootstrap');
  const unpacked = await unpackedPackage('debootstrap', context.scratch, { signal: context.signal });
  return {
    program: join(unpacked, 'usr/sbin/debootstrap'),
    env: { ...env, DEBOOTSTRAP_DIR: join(unpacked, 'usr/share/debootstrap') },
  };
}

/** debootstrap downloads by wget. Where that is missing, apt's own downloader answers to the name; gives the directory for PATH. */
async function wgetOfApt(context: RecipeContext): Promise<string> {
  const directory = join(context.scratch, 'bin');
  await mkdir(directory, { recursive: true });
  const script = [
    '#!/bin/sh',
    'while [ $# -gt 0 ]; do',
    '  case $1 in -O) target=$2; shift ;; -*) ;; ?*) address=$1 ;; esac',
    '  shift',
    'done',
    'exec /usr/lib/apt/apt-helper -q -o APT::Sandbox::User=root download-file "$address" "$target" >/dev/null',
    '',
  ];
  await writeFile(join(directory, 'wget'), script.join('\n'), { mode: 0o755 });
  return directory;
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    // Absent or unreadable: both mean that it cannot be used.
    return false;
  }
}

/** The date of the archive that the packages came from. */
async function releaseDate(root: string): Promise<Date> {
  const lists = join(root, 'var/lib/apt/lists');
  for (const name of await readdir(lists)) {
    if (!/(?:_InRelease|_Release)$/.test(name)) continue;
    const date = /^Date: (.+)$/m.exec(await readFile(join(lists, name), 'utf8'))?.[1];
    const parsed = date ? new Date(date) : null;
    if (parsed && !Number.isNaN(parsed.getTime())) return parsed;
  }
  return new Date();
}

/** Takes out what belongs to this machine or to the making. */
async function tidy(root: string, date: Date): Promise<void> {
  const files = [
    'etc/apt/sources.list',
    'etc/dpkg/dpkg.cfg.d/berth-speed',
    'etc/hostname',
    'etc/resolv.conf',
    'var/cache/ldconfig/aux-cache',
    'var/lib/systemd/catalog/database',
  ];
  for (const file of files) await rm(join(root, file), { force: true });
  for (const directory of ['dev', 'run', 'tmp', 'var/cache/apt', 'var/cache/debconf', 'var/lib/apt/lists', 'var/log']) {
    const path = join(root, directory);
    for (const name of await readdir(path)) {
      // /run/lock is a package's own directory.
      if (directory === 'run' && name === 'lock') continue;
      await rm(join(path, name), { recursive: true, force: true });
    }
  }
  for (const directory of ['var/cache/apt/archives/partial', 'var/lib/apt/lists/partial', 'var/log/apt'])
    await mkdir(join(root, directory), { recursive: true });
  for (const database of ['etc/shadow', 'etc/shadow-']) await setPasswordDates(join(root, database), date);
}

/** The day on which an account got its password is that of the making, and would make two equal images differ. */
async function setPasswordDates(path: string, date: Date): Promise<void> {
  if (!(await exists(path))) return;
  const day = Math.floor(date.getTime() / 86_400_000);
  const text = await readFile(path, 'utf8');
  await writeFile(path, text.replace(/^([^:]*:[^:]*:)\d+:/gm, `$1${day}:`));
}

async function configure(root: string, what: { sources: SuiteSources; settings: string[] }): Promise<void> {
  const put = async (path: string, text: string, mode = 0o644): Promise<void> => {
    await writeFile(join(root, path), text, { mode });
    await chmod(join(root, path), mode);
  };
  const stanzas = what.sources.lines.map(({ uri, suites }) =>
    [
      'Types: deb',
      `URIs: ${uri}`,
      `Suites: ${suites.join(' ')}`,
      'Components: main',
      `Signed-By: ${archiveKeyring}`,
      '',
    ].join('\n'),
  );
  await mkdir(join(root, 'etc/apt/sources.list.d'), { recursive: true });
  await put('etc/apt/sources.list.d/debian.sources', stanzas.join('\n'));
  if (what.settings.length > 0)
    await put(
      'etc/apt/apt.conf.d/10mirror',
      [
        '// As on the machine where this image was made: its mirror keeps the archive of a past day.',
        ...what.settings,
        '',
      ].join('\n'),
    );
  await put(
    'etc/apt/apt.conf.d/20container',
    [
      '// A layer should not carry downloads, caches or translations.',
      'APT::Keep-Downloaded-Packages "false";',
      'DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/*.bin || true"; };',
      'Dir::Cache::pkgcache "";',
      'Dir::Cache::srcpkgcache "";',
      'Acquire::Languages "none";',
      'Apt::AutoRemove::SuggestsImportant "false";',
      '',
    ].join('\n'),
  );
  await put('etc/dpkg/dpkg.cfg.d/container', '# A layer is synced as a whole, or not at all.\nforce-unsafe-io\n');
  // 101: "action forbidden by policy". No service manager runs in a container.
  await put('usr/sbin/policy-rc.d', '#!/bin/sh\nexit 101\n', 0o755);
}

/** Nothing is younger than the archive, so that the same archive gives the same times. */
async function settleDates(root: string, date: Date, context: RecipeContext): Promise<void> {
  const seconds = `@${Math.floor(date.getTime() / 1000)}`;
  const script = 'find "$1" -xdev -newermt "$2" -print0 | xargs -0 -r touch --no-dereference --date="$2"';
  await runTool(['sh', '-c', script, 'sh', root, seconds], { signal: context.signal });
}
