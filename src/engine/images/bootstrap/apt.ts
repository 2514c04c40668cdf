/** What the host's apt knows: where Debian comes from, and packages taken out of it without installing them. */
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { BerthError } from '../../../api/errors.ts';
import { type RunToolOptions, runTool } from '../../../host/process/run-tool.ts';

/** One source of packages. */
export interface AptSource {
  /** Without a slash at the end. */
  uri: string;
  /** `bookworm-updates` */
  release: string;
  component: string;
}

/** Asked when the host is no Debian, or its sources are nothing that an image could use. */
const publicMirror = 'http://deb.debian.org/debian';
const publicSecurityMirror = 'http://deb.debian.org/debian-security';

/** Every binary package source of the host. */
export async function hostSources(options: RunToolOptions): Promise<AptSource[]> {
  const format = '$(CREATED_BY)|$(RELEASE)|$(COMPONENT)|$(REPO_URI)';
  const text = await runTool(['apt-get', 'indextargets', '--format', format], { signal: options.signal });
  return text.split('\n').flatMap((line) => {
    const [creator, release = '', component = '', uri = ''] = line.split('|');
    return creator === 'Packages' && release !== '' ? [{ release, component, uri: uri.replace(/\/+$/, '') }] : [];
  });
}

/** Where an image of a suite gets its packages: now, while it is made, and later, inside containers. */
export interface SuiteSources {
  /** The archive itself. */
  mirror: string;
  /** What `apt` inside reads, the archive included. */
  lines: { uri: string; suites: string[] }[];
}

/** Picks out of the host's sources those of Debian's `suite`; what the host lacks comes from the public mirror. */
export function suiteSources(suite: string, sources: readonly AptSource[]): SuiteSources {
  const debian = sources.filter((source) => isUsable(source.uri) && /\/debian$/.test(new URL(source.uri).pathname));
  const mirror = debian.find((source) => source.release === suite)?.uri ?? debian[0]?.uri ?? publicMirror;
  const security = sources.find((source) => isUsable(source.uri) && source.release.endsWith('-security'))?.uri;
  const lines = [{ uri: mirror, suites: [suite] }];
  // Suites under development have neither updates nor security of their own.
  if (!/^(sid|unstable|testing|experimental)$/.test(suite)) {
    lines[0]?.suites.push(`${suite}-updates`);
    lines.push({
      uri: security ?? (mirror === publicMirror ? publicSecurityMirror : `${mirror}-security`),
      suites: [`${suite}-security`],
    });
  }
  return { mirror, lines };
}

/** A place that a container can reach and that holds no secret of the host. */
function isUsable(uri: string): boolean {
  try {
    const { protocol, username, password, hostname } = new URL(uri);
    return (protocol === 'http:' || protocol === 'https:') && !username && !password && hostname !== 'localhost';
  } catch {
    // `cdrom:[…]/` and the like are no addresses.
    return false;
  }
}

/** Settings of the host's apt that belong to its mirror (an archived snapshot has dates long gone) and so to the image as well. */
export async function mirrorSettings(options: RunToolOptions): Promise<string[]> {
  const text = await runTool(['apt-config', 'dump', 'Acquire::Check-Valid-Until', 'Acquire::Check-Date'], {
    signal: options.signal,
  });
  return text.split('\n').filter((line) => /^Acquire::Check-(?:Valid-Until|Date) "false";$/.test(line));
}

/**
 * Downloads a package and unpacks it into `<directory>/<name>`; gives that directory. Where the host's package lists are missing,
 * lists of our own are fetched beside it.
 */
export async function unpackedPackage(name: string, directory: string, options: RunToolOptions): Promise<string> {
  const target = join(directory, name);
  const archives = join(directory, `${name}-archive`);
  for (const path of [target, archives]) await mkdir(path, { recursive: true });
  // Root's downloads need no sandbox user, who could not write here.
  const quiet = ['-q', '-o', 'APT::Sandbox::User=root'];
  try {
    await runTool(['apt-get', ...quiet, 'download', name], { ...options, cwd: archives });
  } catch (error) {
    options.signal?.throwIfAborted();
    if (error instanceof BerthError && error.code === 'tool-missing') throw error;
    const own = await ownLists(directory);
    await runTool(['apt-get', ...quiet, ...own, 'update'], options);
    await runTool(['apt-get', ...quiet, ...own, 'download', name], { ...options, cwd: archives });
  }
  const archive = (await readdir(archives)).find((file) => file.endsWith('.deb'));
  if (!archive) throw new BerthError('unavailable', `package ${name}: nothing was downloaded`);
  await runTool(['dpkg-deb', '-x', join(archives, archive), target], options);
  return target;
}

/** apt's options for package lists in a place of our own, so that the host's stay as they are. */
async function ownLists(directory: string): Promise<string[]> {
  const lists = join(directory, 'apt', 'lists');
  const cache = join(directory, 'apt', 'cache');
  await mkdir(join(lists, 'partial'), { recursive: true });
  await mkdir(join(cache, 'archives', 'partial'), { recursive: true });
  return ['-o', `Dir::State::lists=${lists}`, '-o', `Dir::Cache=${cache}`];
}
