/** Looks through a tree for the packages that are installed in it. */
import { readFile } from 'node:fs/promises';
import { posix } from 'node:path';
import { Semaphore } from '../../base/semaphore.ts';
import { type FileSource, fromPath } from '../session/file-source.ts';
import { followLinks } from '../session/layered-files.ts';
import type { Distribution, FoundPackage } from './found-package.ts';
import { lockedNodePackages, nodePackage, pythonPackage } from './language-packages.ts';
import { alpinePackages, debianPackages, readDistribution } from './system-packages.ts';

/** Bytes. Longer ones are no list of packages that anybody keeps, and would hold up the engine. */
const longestFile = 8 * 1024 * 1024;

type Reader = (text: string, location: string, distribution: Distribution) => FoundPackage[];

/** Directories that are read at a time: a tree of many is mostly waiting for the disk. */
const concurrent = 16;

/** Every package once, by its address in order. What has been looked at is forgotten, however large the tree. Error: the signal's reason. */
export async function scanTree(files: FileSource, signal: AbortSignal): Promise<FoundPackage[]> {
  const text = (await release(files, '/etc/os-release')) ?? (await release(files, '/usr/lib/os-release')) ?? '';
  const scan = new Scan(files, readDistribution(text), signal);
  await scan.directory('/');
  return [...scan.found.values()].sort((left, right) => (left.url < right.url ? -1 : 1));
}

async function release(files: FileSource, path: string): Promise<string | null> {
  const place = await followLinks(files, path, true);
  const entry = place === null ? null : await files.entry(place);
  if (place === null || entry?.type !== 'file' || entry.size > longestFile) return null;
  return readFile(await files.place(place), 'utf8');
}

class Scan {
  readonly found = new Map<string, FoundPackage>();
  readonly #files: FileSource;
  readonly #distribution: Distribution;
  readonly #signal: AbortSignal;
  readonly #reading = new Semaphore(concurrent);

  constructor(files: FileSource, distribution: Distribution, signal: AbortSignal) {
    this.#files = files;
    this.#distribution = distribution;
    this.#signal = signal;
  }

  async directory(path: string): Promise<void> {
    const below: string[] = [];
    const release = await this.#reading.acquire(this.#signal);
    try {
      this.#signal.throwIfAborted();
      for (const name of await this.#files.names(path)) {
        const inner = posix.join(path, name);
        const entry = await this.#files.entry(inner);
        if (entry?.type === 'directory') {
          below.push(inner);
          continue;
        }
        if (entry?.type === 'file' && entry.size <= longestFile) await this.#file(inner);
        this.#files.forget?.(inner);
      }
    } finally {
      release();
    }
    await Promise.all(below.map((inner) => this.directory(inner)));
    this.#files.forget?.(path);
  }

  async #file(path: string): Promise<void> {
    const read = readerOf(path);
    if (!read) return;
    const text = await readFile(await this.#files.place(path), 'utf8');
    for (const one of read(text, fromPath(path), this.#distribution)) {
      const before = this.found.get(one.url);
      // Of several files that speak of it always the same counts, whichever was read first.
      if (!before || one.location < before.location) this.found.set(one.url, one);
    }
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
