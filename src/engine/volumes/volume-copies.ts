import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { BerthError } from '../../api/errors.ts';
import type { Volume } from '../../api/types/volume.ts';
import { feedUnpacked } from '../../archive/feed-unpacked.ts';
import { failpoint } from '../../base/failpoint.ts';
import { shown } from './shown.ts';
import type { StoredVolume } from './types.ts';
import { nameTaken, type VolumeBooks, type VolumeDependencies } from './volume-books.ts';

/** Whole volumes as copies and as tars. The work is done by the native helper; a copy has its name only when it is whole and on the disk. */
export class VolumeCopies {
  readonly #books: VolumeBooks;
  readonly #dependencies: VolumeDependencies;

  constructor(books: VolumeBooks, dependencies: VolumeDependencies) {
    this.#books = books;
    this.#dependencies = dependencies;
  }

  /**
   * A new volume with the contents of another one, which may be in use meanwhile. Of a volume with a device the contents are copied, the
   * new one is a plain one. Errors: `not-found`, `invalid`, `conflict` for a name that is taken.
   */
  clone(name: string, to: string, signal: AbortSignal): Promise<Volume> {
    const { helper } = this.#dependencies;
    return this.#reading(name, async (source) => {
      const wish = { name: to, driver: '', options: null, labels: source.labels };
      return this.#make(wish, (directory) => helper.copyTree(source.mountpoint, directory, signal));
    });
  }

  /** The volume's contents as a tar, its own root first. What fails later breaks the stream off. Error: `not-found`. */
  async export(name: string): Promise<Readable> {
    const volume = await this.#books.borrowExisting(name);
    const holder = holderName();
    const release = async (): Promise<void> => {
      await this.#books.mounts.letGo(volume, holder);
      await this.#books.release(name);
    };
    try {
      await this.#books.mounts.hold(volume, holder);
      return this.#pack(volume, release);
    } catch (error) {
      await release();
      throw error;
    }
  }

  /**
   * A volume out of a tar, packed or not: a new one, or one that is there, empty, and used by nothing that runs.
   * Errors: `invalid` for a bad archive or name, `conflict`.
   */
  import(name: string, archive: Readable): Promise<Volume> {
    if (!this.#books.find(name))
      return this.#make({ name, driver: '', options: null, labels: null }, (to) => this.#unpack(archive, to));
    return this.#books.mutex.run(name, () => {
      const volume = this.#books.get(name);
      return this.#dependencies.users.whileStopped(name, async () => {
        if (this.#books.isBorrowed(name)) throw new BerthError('conflict', `import ${name}: volume is in use`);
        if (volume.options) throw new BerthError('invalid', `import ${name}: volume has a device of its own`);
        await this.#replace(volume, archive);
        return shown(volume);
      });
    });
  }

  /** Unpacks beside the volume; an empty directory is all that gives way to the result. */
  async #replace(volume: StoredVolume, archive: Readable): Promise<void> {
    const { helper, paths, database } = this.#dependencies;
    const staged = join(paths.temporary, `import-${randomBytes(8).toString('hex')}`);
    await mkdir(staged, { mode: 0o755 });
    try {
      await mkdir(volume.mountpoint, { recursive: true, mode: 0o755 });
      await this.#unpack(archive, staged);
      await helper.sync(staged);
      await failpoint('volume-import.before-rename');
      await rename(staged, volume.mountpoint).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
        throw new BerthError('conflict', `import ${volume.name}: volume is not empty`, { cause: error });
      });
      await failpoint('volume-import.after-rename');
      await database.durable();
    } catch (error) {
      await helper.remove([staged]);
      throw error;
    }
  }

  async #make(wish: Parameters<VolumeBooks['make']>[1], fill: (directory: string) => Promise<void>): Promise<Volume> {
    const { helper, database } = this.#dependencies;
    const volume = await this.#books.mutex.run(wish.name, () => {
      if (this.#books.find(wish.name)) throw nameTaken(wish.name);
      return this.#books.make(wish.name, wish, {
        lent: false,
        async fill(directory) {
          await fill(directory);
          await failpoint('volume-copy.after-fill');
          await helper.sync(directory);
        },
      });
    });
    await database.durable();
    return shown(volume);
  }

  async #reading<T>(name: string, work: (volume: StoredVolume) => Promise<T>): Promise<T> {
    const volume = await this.#books.borrowExisting(name);
    const holder = holderName();
    try {
      await this.#books.mounts.hold(volume, holder);
      return await work(volume);
    } finally {
      await this.#books.mounts.letGo(volume, holder);
      await this.#books.release(name);
    }
  }

  /** @param release called when the child is gone */
  #pack(volume: StoredVolume, release: () => Promise<void>): Readable {
    const words = ['pack', '--root', '--plain', '--live', volume.mountpoint];
    const child = spawn(this.#dependencies.helper.program, words, { stdio: ['ignore', 'pipe', 'pipe'] });
    const message = collect(child.stderr);
    child.stdout.once('close', () => child.kill('SIGKILL'));
    child.once('error', (cause) => child.stdout.destroy(new BerthError('internal', cause.message, { cause })));
    child.once('close', () => void release());
    child.once('exit', (code) => {
      if (code !== 0 && code !== null)
        child.stdout.destroy(new BerthError('internal', message() || 'the volume cannot be read'));
    });
    return child.stdout;
  }

  async #unpack(archive: Readable, directory: string): Promise<void> {
    const child = spawn(this.#dependencies.helper.program, ['unpack', '--plain', directory], {
      stdio: ['pipe', 'ignore', 'pipe'],
    });
    const message = collect(child.stderr);
    const { promise, resolve, reject } = Promise.withResolvers<number | null>();
    child.once('error', reject).once('close', resolve);
    child.stdin.on('error', () => undefined); // EPIPE: its exit says why
    feedUnpacked(archive, { input: child.stdin, kill: () => void child.kill('SIGKILL') });
    const code = await promise;
    if (code === 0 && archive.readableEnded) return;
    const reason = message() || 'the archive broke off';
    throw new BerthError(code === 65 || code === null ? 'invalid' : 'internal', reason);
  }
}

function holderName(): string {
  return `copy ${randomBytes(8).toString('hex')}`;
}

/** The end of what a child says on standard error. */
function collect(stream: Readable): () => string {
  let text = '';
  stream.on('data', (data: Buffer) => {
    text = (text + data.toString()).slice(-4096);
  });
  return () => text.trim();
}
