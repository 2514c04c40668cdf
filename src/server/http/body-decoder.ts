/** Takes a request's body out of the bytes of its connection. */
import { BadRequest, type Framing } from './head.ts';

/** The longest line that may introduce a chunk or stand in its trailer. */
const maximumLine = 8192;

/** How far a call of `take` came. */
export interface Taken {
  /** Body bytes; a view into what was given. Null where only framing was read. */
  bytes: Buffer | null;
  /** Bytes of the input that are used up. */
  used: number;
}

export class BodyDecoder {
  #remaining: number;
  readonly #chunked: boolean;
  #state: 'size' | 'data' | 'data-end' | 'trailer' | 'done';

  constructor(framing: Framing) {
    this.#chunked = framing.kind === 'chunked';
    this.#remaining = framing.kind === 'length' ? framing.length : 0;
    this.#state = framing.kind === 'none' ? 'done' : this.#chunked ? 'size' : 'data';
  }

  get done(): boolean {
    return this.#state === 'done';
  }

  /** Bytes that may still come of the body. */
  get mostLeft(): number {
    if (this.done) return 0;
    return this.#chunked ? Number.POSITIVE_INFINITY : this.#remaining;
  }

  /**
   * Takes what can be taken. Neighbouring chunks are moved together inside `input`, which is given away: clients send chunks of 32 KiB, and
   * each piece that is passed on costs a write somewhere. `used` 0: more input is needed. Error: `BadRequest`.
   */
  take(input: Buffer): Taken {
    let used = 0;
    let start = 0;
    let end = 0;
    while (this.#state !== 'done') {
      if (this.#state === 'data') {
        const length = Math.min(this.#remaining, input.length - used);
        if (length === 0) break;
        if (end === start) {
          start = used;
          end = used;
        } else input.copyWithin(end, used, used + length);
        end += length;
        used += length;
        this.#remaining -= length;
        if (this.#remaining === 0) this.#state = this.#chunked ? 'data-end' : 'done';
        continue;
      }
      const lineEnd = input.indexOf('\r\n', used, 'latin1');
      if (lineEnd < 0) {
        if (input.length - used > maximumLine) throw new BadRequest(400, 'Bad Request: malformed chunked encoding');
        break;
      }
      this.#line(input.toString('latin1', used, lineEnd));
      used = lineEnd + 2;
    }
    return { bytes: end > start ? input.subarray(start, end) : null, used };
  }

  #line(line: string): void {
    if (line.length > maximumLine) throw new BadRequest(400, 'Bad Request: malformed chunked encoding');
    switch (this.#state) {
      case 'size': {
        const match = /^([0-9a-fA-F]{1,12})[ \t]*(?:;.*)?$/.exec(line);
        if (!match) throw new BadRequest(400, 'Bad Request: malformed chunked encoding');
        this.#remaining = Number.parseInt(match[1] as string, 16);
        this.#state = this.#remaining === 0 ? 'trailer' : 'data';
        break;
      }
      case 'data-end':
        if (line !== '') throw new BadRequest(400, 'Bad Request: malformed chunked encoding');
        this.#state = 'size';
        break;
      default:
        // Trailer fields are read over; an empty line ends them.
        if (line === '') this.#state = 'done';
    }
  }
}
