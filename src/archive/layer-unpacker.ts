/**
 * One layer on its way from a stream to a directory: hashed as it comes, decompressed, hashed again, unpacked by the native
 * helper (`shim unpack`), its recipe packed beside it:
 *
 *   <directory>/diff/        the tree       <directory>/recipe.zst    how to make the tar again
 *   <directory>/replaced/    contents that only the recipe needs      <directory>/blob    the bytes as they came, where kept
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, createReadStream, createWriteStream, openSync, unlinkSync, type WriteStream } from 'node:fs';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { constants, createZstdCompress } from 'node:zlib';
import { BerthError } from '../api/errors.ts';
import { decompressor, magicLength, type PackedAs, packedAs } from './compression.ts';
import { write } from './job-io.ts';

export interface LayerUnpackerOptions {
  /** The native helper program. */
  helper: string;
  /**
   * Does not exist yet; its parent does, and is not made again: where an engine has died and the next one has cleaned up, a job that only
   * begins now leaves nothing behind. The name should be random (see shim/unpack.c).
   */
  directory: string;
  /** Keep packed bytes as `blob`; plain ones are what the recipe makes. */
  keepBlob: boolean;
}

/** What came in, and where it is now. */
export interface UnpackedLayer {
  directory: string;
  /** `sha256:…` and length of the bytes as they came. */
  digest: string;
  length: number;
  /** `sha256:…` of the plain tar. */
  diffId: string;
  /** Bytes of the regular files. */
  size: number;
  tarSize: number;
  packing: PackedAs;
  blobKept: boolean;
}

export class LayerUnpacker {
  readonly #options: LayerUnpackerOptions;
  readonly #packed = createHash('sha256');
  readonly #plain = createHash('sha256');
  #start: Buffer | null = Buffer.alloc(0);
  #packing: PackedAs = 'none';
  #length = 0;
  #blob: WriteStream | null = null;
  #filter: Duplex | null = null;
  #filtered: Promise<void> | null = null;
  #failure: unknown = null;
  readonly #child: ChildProcess;
  readonly #ended: Promise<string>;

  constructor(options: LayerUnpackerOptions) {
    this.#options = options;
    const recipe = openSync(`${options.directory}.recipe`, 'w', 0o600);
    this.#child = spawn(options.helper, ['unpack', '--recipe', '3', options.directory], {
      stdio: ['pipe', 'pipe', 'pipe', recipe],
    });
    closeSync(recipe);
    this.#ended = outcome(this.#child);
    this.#ended.catch((error: unknown) => {
      this.#failure ??= error;
    });
    this.#child.stdin?.on('error', () => undefined); // EPIPE: its exit says why
  }

  /** Why nothing more can come of it; `finish` rejects with it. Null: all is well. */
  get failure(): unknown {
    return this.#failure;
  }

  /** `sha256:…` of the bytes as they came. Call once, behind `finish`, also where that rejected. */
  get digest(): string {
    return `sha256:${(this.#packing === 'none' ? this.#plain : this.#packed).digest('hex')}`;
  }

  /** Takes bytes as they come. Never rejects; waits while the work lags behind. */
  async write(chunk: Buffer): Promise<void> {
    this.#length += chunk.length;
    if (this.#start === null) return this.#pass(chunk);
    this.#start = Buffer.concat([this.#start, chunk]);
    if (this.#start.length >= magicLength) await this.#begin();
  }

  /**
   * After the last byte: waits for the tree. Errors: `invalid` for a bad archive, `internal` for the system's failures.
   */
  async finish(): Promise<UnpackedLayer> {
    if (this.#start !== null) await this.#begin();
    if (this.#filter) this.#filter.end();
    else this.#child.stdin?.end();
    await this.#filtered;
    if (this.#blob) {
      this.#blob.end();
      await finished(this.#blob).catch(() => undefined); // its error is the layer's already
    }
    // Of several failures the first is the reason of the others.
    const report = await this.#ended.catch(() => '');
    if (this.#failure) throw this.#failure;
    const { size, tarSize } = JSON.parse(report) as { size: number; tarSize: number };
    await this.#packRecipe();
    const diffId = `sha256:${this.#plain.digest('hex')}`;
    return {
      directory: this.#options.directory,
      digest: this.#packing === 'none' ? diffId : `sha256:${this.#packed.digest('hex')}`,
      length: this.#length,
      diffId,
      size,
      tarSize,
      packing: this.#packing,
      blobKept: this.#blob !== null,
    };
  }

  async #begin(): Promise<void> {
    const start = this.#start as Buffer;
    this.#start = null;
    this.#packing = packedAs(start);
    if (this.#packing !== 'none') {
      if (this.#options.keepBlob) {
        this.#blob = createWriteStream(`${this.#options.directory}.blob`, { mode: 0o600 });
        this.#blob.on('error', (error) => this.#fail(new BerthError('internal', error.message, { cause: error })));
      }
      this.#filter = decompressor(this.#packing);
      this.#filtered = this.#drainFilter(this.#filter);
    }
    await this.#pass(start);
  }

  async #pass(chunk: Buffer): Promise<void> {
    // Plain bytes are hashed once, on their way to the helper.
    if (!this.#filter) return this.#unpack(chunk);
    this.#packed.update(chunk);
    if (this.#failure) return;
    if (this.#blob) await write(this.#blob, chunk);
    await write(this.#filter, chunk);
  }

  async #drainFilter(filter: Duplex): Promise<void> {
    try {
      for await (const chunk of filter as AsyncIterable<Buffer>) if (!this.#failure) await this.#unpack(chunk);
    } catch (error) {
      const message =
        error instanceof BerthError
          ? error.message
          : `the layer is no valid ${this.#packing} stream: ${(error as Error).message}`;
      this.#fail(new BerthError('invalid', message, { cause: error }));
    }
    this.#child.stdin?.end();
  }

  async #unpack(chunk: Buffer): Promise<void> {
    this.#plain.update(chunk);
    const { stdin } = this.#child;
    if (stdin && !this.#failure) await write(stdin, chunk);
  }

  #fail(error: BerthError): void {
    this.#failure ??= error;
    this.#filter?.destroy();
  }

  async #packRecipe(): Promise<void> {
    const { directory } = this.#options;
    await pipeline(
      createReadStream(`${directory}.recipe`, { highWaterMark: 256 * 1024 }),
      createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: 1 } }),
      createWriteStream(join(directory, 'recipe.zst'), { mode: 0o600 }),
    );
    unlinkSync(`${directory}.recipe`);
  }
}

/** The helper's report, or its error. */
async function outcome(child: ChildProcess): Promise<string> {
  let report = '';
  let message = '';
  child.stdout?.on('data', (data: Buffer) => {
    report += data.toString();
  });
  child.stderr?.on('data', (data: Buffer) => {
    message += data.toString();
  });
  const [code] = (await once(child, 'close')) as [number | null];
  if (code === 0) return report;
  // Go writes the texts of errno in small letters, and people search for those.
  const text =
    message.trim().replace(/: [A-Z](?=[a-z ]+$)/, (start) => start.toLowerCase()) ||
    `the unpacking program failed (${code})`;
  throw new BerthError(code === 65 ? 'invalid' : 'internal', text);
}

/** Where a kept blob lies until the store takes it over. */
export function keptBlob(directory: string): string {
  return `${directory}.blob`;
}
