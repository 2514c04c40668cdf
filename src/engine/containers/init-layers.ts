import { randomBytes } from 'node:crypto';
import { mkdir, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { overlayEntry } from '../../host/files/overlay-root.ts';
import type { Paths } from '../../store/paths.ts';

/**
 * What the runtime mounts over, and the file by which programs know that they are in a container. Where an image lacks one of
 * these it comes from a layer between image and container, as with Docker: the container's own layer stays empty and
 * `diff` shows only what the container did.
 */
const entries: readonly { path: string; kind: 'directory' | 'file' | 'link' }[] = [
  { path: '/dev/pts', kind: 'directory' },
  { path: '/dev/shm', kind: 'directory' },
  { path: '/proc', kind: 'directory' },
  { path: '/sys', kind: 'directory' },
  { path: '/.dockerenv', kind: 'file' },
  { path: '/etc/resolv.conf', kind: 'file' },
  { path: '/etc/hosts', kind: 'file' },
  { path: '/etc/hostname', kind: 'file' },
  { path: '/dev/console', kind: 'file' },
  { path: '/etc/mtab', kind: 'link' },
];

const keptImages = 256;
const plainDirectory = 0o40755;

/** Makes these layers, one for each set of entries that images lack; most images share one. */
export class InitLayers {
  readonly #paths: Paths;
  readonly #byImage = new Map<string, Promise<string>>();

  constructor(paths: Paths) {
    this.#paths = paths;
  }

  /** The layer's directory. @param image its id, under which the answer is kept @param lower its layers, the top first */
  find(image: string, lower: readonly string[]): Promise<string> {
    let found = this.#byImage.get(image);
    if (!found) {
      if (this.#byImage.size >= keptImages) this.#byImage.clear();
      found = this.#make(lower);
      this.#byImage.set(image, found);
      // A failure is not kept: the disk may have room again.
      found.catch(() => this.#byImage.delete(image));
    }
    return found;
  }

  async #make(lower: readonly string[]): Promise<string> {
    const lacking = await Promise.all(entries.map((entry) => isLacking(lower, entry.path)));
    const key = lacking.map(Number).join('');
    const directory = this.#paths.initLayer(key);
    if (await stat(directory).catch(() => null)) return directory;
    const draft = join(this.#paths.temporary, `init-${randomBytes(8).toString('hex')}`);
    await mkdir(draft, { mode: 0o755 });
    for (const [index, entry] of entries.entries()) {
      if (lacking[index]) await makeEntry(draft, entry);
    }
    await mkdir(this.#paths.initLayers, { recursive: true, mode: 0o710 });
    await rename(draft, directory).catch(async (error: NodeJS.ErrnoException) => {
      // Somebody else made the same one meanwhile.
      await rm(draft, { recursive: true, force: true });
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
    return directory;
  }
}

/** An entry below a directory that is not plain is left to the runtime: the layer would change the directory's owner or mode. */
async function isLacking(lower: readonly string[], path: string): Promise<boolean> {
  if (await overlayEntry(lower, path)) return false;
  const parent = dirname(path);
  if (parent === '/') return true;
  const status = await overlayEntry(lower, parent);
  return status === null || (status.mode === plainDirectory && status.uid === 0 && status.gid === 0);
}

async function makeEntry(root: string, entry: (typeof entries)[number]): Promise<void> {
  const path = join(root, entry.path);
  await mkdir(dirname(path), { recursive: true, mode: 0o755 });
  if (entry.kind === 'directory') await mkdir(path, { mode: 0o755 });
  else if (entry.kind === 'file') await writeFile(path, '', { mode: 0o755 });
  else await symlink('/proc/mounts', path);
}
