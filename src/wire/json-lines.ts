/** JSON streams: one object after another (progress, events, stats), mostly one a line, but no client may rely on that. */
import { parseJson } from './json.ts';

/** Splits a stream of bytes into JSON objects, wherever chunks and line ends fall. */
export class JsonStreamDecoder {
  readonly #sink: (value: unknown) => void;
  readonly #text = new TextDecoder();
  #pending = '';
  /** Where the search for the object's end goes on. */
  #scanned = 0;
  #depth = 0;
  #inString = false;
  #escaped = false;

  constructor(sink: (value: unknown) => void) {
    this.#sink = sink;
  }

  /** Error: SyntaxError. */
  push(chunk: Uint8Array): void {
    this.#pending += this.#text.decode(chunk, { stream: true });
    let start = 0;
    for (let position = this.#scanned; position < this.#pending.length; position++) {
      if (!this.#endsObject(this.#pending.charCodeAt(position))) continue;
      this.#sink(parseJson(this.#pending.slice(start, position + 1)));
      start = position + 1;
    }
    if (start > 0) this.#pending = this.#pending.slice(start);
    this.#scanned = this.#pending.length;
  }

  /** The stream ended. Error: SyntaxError where it ended inside an object. */
  end(): void {
    if (this.#pending.trim() !== '') throw new SyntaxError('unexpected EOF');
  }

  #endsObject(code: number): boolean {
    if (this.#inString) {
      if (this.#escaped) this.#escaped = false;
      else if (code === 0x5c) this.#escaped = true;
      else if (code === 0x22) this.#inString = false;
      return false;
    }
    if (code === 0x22) this.#inString = true;
    else if (code === 0x7b || code === 0x5b) this.#depth++;
    else if (code === 0x7d || code === 0x5d) {
      this.#depth--;
      return this.#depth === 0;
    }
    return false;
  }
}
