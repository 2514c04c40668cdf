/** This program as files, for a root file system of its own. */
import { access, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { selfCommand } from './self.ts';

/** One file or directory of it, by its place in the new root. */
export interface ProgramFile {
  to: string;
  from: { path: string } | { text: string } | { link: string };
}

const bundle = '/etc/ssl/certs/ca-certificates.crt';

/**
 * What a directory needs to run this program as `at`: the executable (or the runtime with the source, and a script that starts it), the
 * shared libraries that are mapped right now, and the host's certificate authorities. @param alias another path that it is called by
 */
export async function programFiles(at: string, alias: string): Promise<ProgramFile[]> {
  const files = [...(await mappedLibraries()), ...(await programItself(at, alias))];
  const hasBundle = await access(bundle).then(
    () => true,
    () => false,
  );
  return hasBundle ? [...files, { to: bundle, from: { path: bundle } }] : files;
}

async function programItself(at: string, alias: string): Promise<ProgramFile[]> {
  const [executable = '', entry] = selfCommand();
  if (entry === undefined)
    return [
      { to: at, from: { path: executable } },
      { to: alias, from: { link: at } },
    ];
  const runtime = '/usr/lib/berth/bun';
  const source = '/usr/lib/berth/source';
  const root = fileURLToPath(new URL('../../..', import.meta.url));
  const { dependencies = {} } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
    dependencies?: Record<string, string>;
  };
  const libraries = Object.keys(dependencies).map((name) => `node_modules/${name}`);
  return [
    { to: runtime, from: { path: executable } },
    ...['src', 'package.json', 'tsconfig.json', ...libraries].map((name) => ({
      to: `${source}/${name}`,
      from: { path: join(root, name) },
    })),
    // Two files: the runtime would tell a link by what it leads to.
    ...[at, alias].map((to) => ({
      to,
      from: { text: `#!${runtime}\nawait import('${source}/src/bin/berth.ts');\n` },
    })),
  ];
}

/** The C library and what belongs to it, with the loader where executables look for it. */
async function mappedLibraries(): Promise<ProgramFile[]> {
  const maps = await readFile('/proc/self/maps', 'utf8');
  const paths = new Set(maps.match(/\/\S*\/(?:ld-linux[^/\s]*|lib(?:c|m|dl|pthread|rt|resolv)\.so\.\d+)$/gm) ?? []);
  return [...paths].flatMap((path) => {
    const files: ProgramFile[] = [{ to: path, from: { path } }];
    const name = basename(path);
    // Debian's /lib64 and /lib are links into /usr; here they are directories with links in them.
    const other = name.startsWith('ld-linux') ? `/lib64/${name}` : `${dirname(path).replace(/^\/usr\//, '/')}/${name}`;
    if (other !== path) files.push({ to: other, from: { link: path } });
    return files;
  });
}
