/** The keys that leave an attached terminal without ending the process: `ctrl-p,ctrl-q` unless told otherwise. */
import { BerthError } from '../api/errors.ts';

const controlSymbols: Record<string, number> = { '@': 0, '[': 27, '\\': 28, ']': 29, '^': 30, _: 31 };

/**
 * @param text keys joined by commas: a character, `ctrl-` and a letter or one of `@[\]^_`, or `DEL`; empty: the default
 * Error: `invalid` in Docker's words.
 */
export function parseDetachKeys(text: string): Uint8Array {
  if (text === '') return Uint8Array.of(16, 17);
  return Uint8Array.from(text.split(','), (key) => {
    if (key.length === 1) return key.charCodeAt(0) & 0xff;
    const control = /^ctrl-(.)$/i.exec(key)?.[1];
    if (control && /^[a-z]$/i.test(control)) return control.toLowerCase().charCodeAt(0) - 96;
    if (control && controlSymbols[control] !== undefined) return controlSymbols[control];
    if (key === 'DEL') return 127;
    throw new BerthError('invalid', `Unknown character: '${key}'`);
  });
}

/** Looks for the keys in what a user types. Keys that may be the beginning of them are held back. */
export class DetachFilter {
  readonly #keys: Uint8Array;
  #matched = 0;

  constructor(keys: Uint8Array) {
    this.#keys = keys;
  }

  /** @returns the bytes to pass on, and whether the keys are complete (what comes behind them is dropped) */
  push(chunk: Uint8Array): { pass: Uint8Array; detached: boolean } {
    if (this.#keys.length === 0) return { pass: chunk, detached: false };
    const pass: number[] = [];
    // Most chunks hold no such key.
    if (this.#matched === 0 && !chunk.includes(this.#keys[0] as number)) return { pass: chunk, detached: false };
    for (const byte of chunk) {
      if (byte === this.#keys[this.#matched]) {
        this.#matched++;
        if (this.#matched === this.#keys.length) {
          this.#matched = 0;
          return { pass: Uint8Array.from(pass), detached: true };
        }
        continue;
      }
      for (let index = 0; index < this.#matched; index++) pass.push(this.#keys[index] as number);
      this.#matched = 0;
      if (byte === this.#keys[0]) this.#matched = 1;
      else pass.push(byte);
    }
    return { pass: Uint8Array.from(pass), detached: false };
  }
}
