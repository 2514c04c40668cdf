import { StdcopyDecoder } from '../../wire/stdcopy.ts';

/** Bytes that are kept of what a probe says; more is read and dropped. */
const keptBytes = 4096;

/** The beginning of a probe's output, both streams in the order in which they came. */
export class ProbeOutput {
  readonly #kept = Buffer.alloc(keptBytes);
  #length = 0;
  #isCut = false;
  readonly #decoder = new StdcopyDecoder((_stream, bytes) => this.#take(bytes));

  /** Takes a piece of the multiplexed stream. */
  push(chunk: Uint8Array): void {
    this.#decoder.push(chunk);
  }

  /** What was kept, with dots where something is missing. */
  get text(): string {
    return `${this.#kept.toString('utf8', 0, this.#length)}${this.#isCut ? '...' : ''}`;
  }

  #take(bytes: Uint8Array): void {
    const room = bytes.subarray(0, keptBytes - this.#length);
    this.#kept.set(room, this.#length);
    this.#length += room.length;
    this.#isCut ||= room.length < bytes.length;
  }
}
