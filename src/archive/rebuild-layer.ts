import { type ChildProcess, spawn } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createZstdDecompress } from 'node:zlib';
import { BerthError } from '../api/errors.ts';
import { openPipe, type PipeReader } from '../host/process/pipe.ts';
import type { ByteSource } from './byte-source.ts';

/** A layer of the store. */
export interface LayerPlace {
  /** The native helper program. */
  helper: string;
  /** The layer's, with `diff/` and `recipe.zst`. */
  directory: string;
  /** `sha256:…` that the tar must have. */
  diffId: string;
}

/**
 * The tar of a layer, bit by bit, from its tree and recipe. Error: `internal` where the directory does not fit its recipe or the tar is another
 * one, told behind the last byte. Closing it ends the program that reads the tree.
 */
export function rebuildLayer(place: LayerPlace): ByteSource {
  return new RebuiltLayer(place);
}

class RebuiltLayer implements ByteSource {
  readonly #place: LayerPlace;
  readonly #child: ChildProcess;
  readonly #reader: PipeReader;
  readonly #fed: Promise<void>;
  readonly #ended: Promise<number | null>;
  #message = '';

  constructor(place: LayerPlace) {
    this.#place = place;
    const { helper, directory, diffId } = place;
    const pipe = openPipe();
    this.#reader = pipe.reader;
    const words = ['pack', '--recipe', '--expect', diffId.slice('sha256:'.length), directory];
    this.#child = spawn(helper, words, { stdio: ['pipe', pipe.writer, 'pipe'] });
    pipe.closeWriter();
    const { promise, resolve } = Promise.withResolvers<number | null>();
    this.#ended = promise;
    this.#child.once('error', (error) => {
      this.#message ||= error.message;
      resolve(null);
    });
    this.#child.once('close', resolve);
    this.#child.stderr?.on('data', (data: Buffer) => {
      this.#message += data.toString();
    });
    this.#fed = pipeline(
      createReadStream(join(directory, 'recipe.zst'), { highWaterMark: 256 * 1024 }),
      createZstdDecompress({ chunkSize: 256 * 1024 }),
      this.#child.stdin as Writable,
    ).catch((error: Error) => {
      this.#message ||= error.message;
      this.#child.kill('SIGKILL');
    });
  }

  async read(target: Uint8Array): Promise<number> {
    const count = await this.#reader.read(target);
    if (count > 0) return count;
    await this.#fed;
    const code = await this.#ended;
    if (code === 0) return 0;
    const why = this.#message.trim() || `exit code ${code}`;
    throw new BerthError('internal', `cannot make layer ${this.#place.diffId} again: ${why}`);
  }

  close(): void {
    this.#reader.close();
    this.#child.kill('SIGKILL');
  }
}
