/** Looks through a tree for the packages that are installed in it. */
import { readFile } from 'node:fs/promises';
import { posix } from 'node:path';
import { type FileSource, fromPath } from '../session/file-source.ts';
import { smallFile } from '../session/layered-files.ts';
import type { Distribution, FoundPackage } from './found-package.ts';
import { lockedNodePackages, nodePackage, pythonPackage } from './language-packages.ts';
import { alpinePackages, debianPackages, readDistribution } from './system-packages.ts';

/** Longer ones are no package's description. */
const longestFile = 64 * 1024 * 1024;

type Reader = (text: string, location: string, distribution: Distribution) => FoundPackage[];

/** Every package once, by its address in order. Error: the signal's reason. */
export async function scanTree(files: FileSource, signal: AbortSignal): Promise<FoundPackage[]> {
  const text = (await smallFile(files, '/etc/os-release')) ?? (await smallFile(files, '/usr/lib/os-release')) ?? '';
  const distribution = readDistribution(text);
  const found = new Map<string, FoundPackage>();
  for await (const { path, read } of interesting(files, '/', signal)) {
    const bytes = await readFile(await files.place(path), 'utf8');
    for (const one of read(bytes, fromPath(path), distribution)) if (!found.has(one.url)) found.set(one.url, one);
  }
  return [...found.values()].sort((left, right) => (left.url < right.url ? -1 : 1));
}

async function* interesting(
  files: FileSource,
  directory: string,
  signal: AbortSignal,
): AsyncGenerator<{ path: string; read: Reader }> {
  signal.throwIfAborted();
  for (const name of await files.names(directory)) {
    const path = posix.join(directory, name);
    const entry = await files.entry(path);
    if (entry?.type === 'directory') yield* interesting(files, path, signal);
    if (entry?.type !== 'file' || entry.size > longestFile) continue;
    const read = readerOf(path);
    if (read) yield { path, read };
  }
}

const nodeModule = /\/node_modules\/(?:@[^/]+\/)?[^/]+\/package\.json$/;
const pythonMetadata = /\/[^/]+\.(?:dist-info\/METADATA|egg-info\/PKG-INFO|egg-info)$/;

function readerOf(path: string): Reader | null {
  if (path === '/var/lib/dpkg/status' || /^\/var\/lib\/dpkg\/status\.d\/[^/]+$/.test(path))
    return path.endsWith('.md5sums') ? null : debianPackages;
  if (path === '/lib/apk/db/installed' || path === '/usr/lib/apk/db/installed') return alpinePackages;
  if (nodeModule.test(path)) return nodePackage;
  // The one that npm leaves in node_modules speaks of what stands beside it.
  if (path.endsWith('/package-lock.json')) return lockedNodePackages;
  return pythonMetadata.test(path) ? pythonPackage : null;
}
