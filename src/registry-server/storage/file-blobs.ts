/**
 * Blobs in a directory:
 *
 *   uploads/<id>                        bytes on their way; the file's size is the offset that the client goes on from
 *   blobs/<algorithm>/<2 hex>/<hex>     the name is the digest of the bytes
 *
 * A blob appears by rename, when its bytes are on disk and their digest is right; nothing else ever stands below `blobs`.
 */
import { createHash, type Hash, randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { failpoint } from '../../base/failpoint.ts';
import { digestHex, finishHash, startHash } from '../../oci/digest.ts';
import { RegistryProblem } from '../problem.ts';
import { DirectFileBlobs, type FileTransfers } from './direct-file-blobs.ts';
import type { BlobStorage, GrowingUpload } from './types.ts';

/** Pieces are written together up to this size. */
const writeSize = 128 * 1024;
/** Bytes of all uploads that may wait for the disk; beyond that no upload reads on before its own are written. */
const mostWaiting = 8 * 1024 * 1024;
const readSize = 256 * 1024;
const idPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** The SHA-256 of an upload so far; it spares reading the bytes again. Gone after a restart. */
interface RunningHash {
  hash: Hash;
  length: number;
}

export class FileBlobs implements BlobStorage {
  readonly direct: DirectFileBlobs | null;
  readonly #uploads: string;
  readonly #blobs: string;
  readonly #hashes = new Map<string, RunningHash>();
  /** Bytes of all uploads on their way to the disk. */
  readonly #waiting = { bytes: 0 };
  readonly #madeDirectories = new Set<string>();

  private constructor(root: string, transfers: FileTransfers | null) {
    this.#uploads = join(root, 'uploads');
    this.#blobs = join(root, 'blobs');
    this.direct =
      transfers &&
      new DirectFileBlobs(transfers, {
        openUpload: (id) => {
          // The hash of what came before grows elsewhere from here on.
          this.#hashes.delete(id);
          return this.#openUpload(id, 'r+');
        },
        openBlob: (digest) => open(this.#blobPath(digest), 'r'),
      });
  }

  /** Makes the directories where they are missing. @param transfers threads that move bytes by themselves */
  static async open(root: string, transfers: FileTransfers | null = null): Promise<FileBlobs> {
    const blobs = new FileBlobs(root, transfers);
    for (const directory of [blobs.#uploads, blobs.#blobs]) await mkdir(directory, { recursive: true, mode: 0o700 });
    return blobs;
  }

  async begin(): Promise<string> {
    const id = randomUUID();
    const file = await open(this.#uploadPath(id), 'wx', 0o600);
    await file.close();
    this.#hashes.set(id, { hash: createHash('sha256'), length: 0 });
    return id;
  }

  async uploaded(id: string): Promise<number | null> {
    return idPattern.test(id) ? sizeOf(this.#uploadPath(id)) : null;
  }

  async append(id: string, source: AsyncIterable<Uint8Array>, onWritten?: (size: number) => void): Promise<number> {
    const file = await this.#openUpload(id, 'r+');
    try {
      const { size } = await file.stat();
      const running = this.#hashes.get(id);
      const hash = running?.length === size ? running.hash : null;
      // Until all is written the hash may be ahead of the file; after a failure it is of no use.
      this.#hashes.delete(id);
      const end = await new BatchedWrites(file, { position: size, hash, onWritten, waiting: this.#waiting }).writeAll(
        source,
      );
      if (hash) this.#hashes.set(id, { hash, length: end });
      return end;
    } finally {
      await file.close();
    }
  }

  async openGrowing(id: string): Promise<GrowingUpload> {
    return new GrowingFile(await this.#openUpload(id, 'r'));
  }

  async finish(id: string, digest: string): Promise<number> {
    const file = await this.#openUpload(id, 'r+');
    const path = this.#uploadPath(id);
    let size: number;
    try {
      size = (await file.stat()).size;
      const known = await this.#runningDigest(id, size);
      const actual = known !== null && digest.startsWith('sha256:') ? known : await hashFile(file, digest);
      if (actual !== digest) {
        await rm(path, { force: true });
        throw new RegistryProblem('DIGEST_INVALID', { detail: { digest, actual } });
      }
      await failpoint('registry.before-sync');
      await file.datasync();
    } finally {
      await file.close();
    }
    const target = this.#blobPath(digest);
    await this.#makeDirectory(dirname(target));
    await failpoint('registry.before-rename');
    await rename(path, target);
    await syncDirectory(dirname(target));
    return size;
  }

  /** The SHA-256 of an upload that was hashed as it came, else null. Forgets it. */
  async #runningDigest(id: string, size: number): Promise<string | null> {
    const running = this.#hashes.get(id);
    this.#hashes.delete(id);
    const hex = running?.length === size ? running.hash.digest('hex') : ((await this.direct?.digest(id, size)) ?? null);
    return hex === null ? null : `sha256:${hex}`;
  }

  async cancel(id: string): Promise<void> {
    this.#hashes.delete(id);
    this.direct?.forget(id);
    if (idPattern.test(id)) await rm(this.#uploadPath(id), { force: true });
  }

  async idleUploads(before: number): Promise<string[]> {
    const idle: string[] = [];
    for (const id of await readdir(this.#uploads)) {
      const facts = await stat(join(this.#uploads, id)).catch((): null => null);
      if (facts && facts.mtimeMs < before) idle.push(id);
    }
    return idle;
  }

  read(digest: string, range: { start: number; end: number }): AsyncIterable<Uint8Array> {
    return readFile(this.#blobPath(digest), range);
  }

  size(digest: string): Promise<number | null> {
    return sizeOf(this.#blobPath(digest));
  }

  async remove(digest: string): Promise<void> {
    await rm(this.#blobPath(digest), { force: true });
  }

  async *all(): AsyncIterable<string> {
    for (const algorithm of await readdir(this.#blobs)) {
      for (const prefix of await readdir(join(this.#blobs, algorithm)))
        for (const hex of await readdir(join(this.#blobs, algorithm, prefix))) yield `${algorithm}:${hex}`;
    }
  }

  #uploadPath(id: string): string {
    return join(this.#uploads, id);
  }

  #blobPath(digest: string): string {
    const hex = digestHex(digest);
    return join(this.#blobs, digest.slice(0, digest.indexOf(':')), hex.slice(0, 2), hex);
  }

  async #openUpload(id: string, mode: string): Promise<FileHandle> {
    if (!idPattern.test(id)) throw new RegistryProblem('BLOB_UPLOAD_UNKNOWN');
    try {
      return await open(this.#uploadPath(id), mode);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT')
        throw new RegistryProblem('BLOB_UPLOAD_UNKNOWN', { cause: error });
      throw error;
    }
  }

  /** Made durable with its parents, once. */
  async #makeDirectory(path: string): Promise<void> {
    if (this.#madeDirectories.has(path)) return;
    await mkdir(path, { recursive: true, mode: 0o700 });
    for (const directory of [dirname(path), this.#blobs]) await syncDirectory(directory);
    this.#madeDirectories.add(path);
  }
}

interface BatchOptions {
  position: number;
  hash: Hash | null;
  onWritten: ((size: number) => void) | undefined;
  waiting: { bytes: number };
}

/** Writes what a source gives in large pieces: the next one is collected while one is being written. */
class BatchedWrites {
  readonly #file: FileHandle;
  readonly #hash: Hash | null;
  readonly #onWritten: ((size: number) => void) | undefined;
  readonly #waiting: { bytes: number };
  #position: number;
  #batch: Uint8Array[] = [];
  #length = 0;
  #writing: Promise<unknown> = Promise.resolve();

  constructor(file: FileHandle, options: BatchOptions) {
    this.#file = file;
    this.#position = options.position;
    this.#hash = options.hash;
    this.#onWritten = options.onWritten;
    this.#waiting = options.waiting;
  }

  /** Gives the position behind the last byte. */
  async writeAll(source: AsyncIterable<Uint8Array>): Promise<number> {
    try {
      for await (const chunk of source) {
        this.#hash?.update(chunk);
        this.#batch.push(chunk);
        this.#length += chunk.length;
        if (this.#length >= writeSize) await this.#flush();
      }
    } finally {
      // What came before a break counts: the client goes on from there.
      if (this.#length > 0) await this.#flush();
      await this.#writing;
    }
    return this.#position;
  }

  async #flush(): Promise<void> {
    await this.#writing;
    const batch = this.#batch;
    const length = this.#length;
    const position = this.#position;
    const end = position + length;
    this.#batch = [];
    this.#position = end;
    this.#length = 0;
    this.#waiting.bytes += length;
    this.#writing = writeFully(this.#file, batch, position)
      .then(() => this.#onWritten?.(end))
      .finally(() => {
        this.#waiting.bytes -= length;
      });
    // The error is met by the next await of it.
    this.#writing.catch(() => undefined);
    if (this.#waiting.bytes > mostWaiting) await this.#writing;
  }
}

/** Closes when nobody needs it. */
class GrowingFile implements GrowingUpload {
  readonly #file: FileHandle;
  #users = 1;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  hold(): (() => void) | null {
    if (this.#users === 0) return null;
    this.#users++;
    return () => this.release();
  }

  async read(start: number, end: number): Promise<Uint8Array> {
    const buffer = Buffer.allocUnsafeSlow(Math.min(readSize, end - start));
    const { bytesRead } = await this.#file.read(buffer, 0, buffer.length, start);
    return buffer.subarray(0, bytesRead);
  }

  release(): void {
    if (--this.#users === 0) void this.#file.close();
  }
}

/** Two buffers in turn, however long the file is: one is filled while the other is on its way to a client. */
async function* readFile(path: string, { start, end }: { start: number; end: number }): AsyncIterable<Uint8Array> {
  const file = await open(path, 'r');
  const size = Math.min(readSize, end - start + 1);
  let [current, other] = [Buffer.allocUnsafeSlow(size), Buffer.allocUnsafeSlow(size)];
  const fill = (buffer: Buffer, position: number): Promise<{ bytesRead: number }> =>
    file.read(buffer, 0, Math.min(size, end - position + 1), position);
  let filling = fill(current, start);
  try {
    for (let position = start; position <= end; ) {
      const { bytesRead } = await filling;
      if (bytesRead === 0) throw new Error(`${path} ends at byte ${position}`);
      const piece = current.subarray(0, bytesRead);
      position += bytesRead;
      [current, other] = [other, current];
      if (position <= end) filling = fill(current, position);
      yield piece;
    }
  } finally {
    // The buffer is the read's until it is done.
    await filling.catch(() => undefined);
    await file.close();
  }
}

async function writeFully(file: FileHandle, batch: Uint8Array[], position: number): Promise<void> {
  let rest = batch;
  let at = position;
  while (rest.length > 0) {
    const { bytesWritten } = await file.writev(rest, at);
    at += bytesWritten;
    rest = behind(rest, bytesWritten);
  }
}

/** The pieces without their first `count` bytes. */
function behind(pieces: Uint8Array[], count: number): Uint8Array[] {
  let left = count;
  for (const [index, piece] of pieces.entries()) {
    if (left < piece.length) return [piece.subarray(left), ...pieces.slice(index + 1)];
    left -= piece.length;
  }
  return [];
}

async function hashFile(file: FileHandle, digest: string): Promise<string> {
  const hash = startHash(digest);
  const buffer = Buffer.allocUnsafeSlow(readSize);
  for (let position = 0; ; ) {
    const { bytesRead } = await file.read(buffer, 0, buffer.length, position);
    if (bytesRead === 0) return finishHash(digest, hash);
    hash.update(buffer.subarray(0, bytesRead));
    position += bytesRead;
  }
}

async function sizeOf(path: string): Promise<number | null> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
