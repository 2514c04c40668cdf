/** The keys that leave a container without stopping it, like `ctrl-p,ctrl-q`. */
import { BerthError } from '../../api/errors.ts';

export const defaultDetachKeys = 'ctrl-p,ctrl-q';

/** Error: `invalid` for a key that is none. */
export function parseDetachKeys(text: string): Uint8Array {
  const codes = text.split(',').map((key) => {
    if (key.length === 1) return key.charCodeAt(0);
    const control = /^ctrl-([a-z@[\\\]^_])$/i.exec(key)?.[1];
    if (control === undefined)
      throw new BerthError('invalid', `invalid detach keys (${text}): Unknown character: '${key}'`);
    return control.toLowerCase().charCodeAt(0) & 0x1f;
  });
  return new Uint8Array(codes);
}

/** Watches typed bytes for the keys; what may be their beginning is held back until it is clear that it is not. */
export class DetachWatcher {
  private readonly keys: Uint8Array;
  private matched = 0;

  constructor(keys: Uint8Array) {
    this.keys = keys;
  }

  /** What is to be passed on; `detached` once all keys came in a row. */
  feed(bytes: Uint8Array): { pass: Uint8Array; detached: boolean } {
    const pass: number[] = [];
    for (const byte of bytes) {
      if (byte === this.keys[this.matched]) {
        this.matched++;
        if (this.matched === this.keys.length) return { pass: new Uint8Array(pass), detached: true };
        continue;
      }
      pass.push(...this.keys.subarray(0, this.matched));
      this.matched = 0;
      if (byte === this.keys[0]) this.matched = 1;
      else pass.push(byte);
    }
    return { pass: new Uint8Array(pass), detached: false };
  }
}
