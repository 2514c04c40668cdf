/** Lets at most `limit` holders in; the others wait in the order they came. */
export class Semaphore {
  #limit: number;
  #free: number;
  readonly #waiting: { enter: () => void; signal: AbortSignal | undefined }[] = [];

  constructor(limit: number) {
    this.#limit = limit;
    this.#free = limit;
  }

  /** From now on so many; whoever is inside stays. */
  set limit(limit: number) {
    this.#free += limit - this.#limit;
    this.#limit = limit;
    while (this.#free > 0 && this.#waiting.length > 0) {
      this.#free--;
      this.#waiting.shift()?.enter();
    }
  }

  /** True when the next `acquire` enters at once. */
  get hasRoom(): boolean {
    return this.#free > 0;
  }

  /** How many would enter at once. */
  get free(): number {
    return Math.max(0, this.#free);
  }

  /** Resolves with the function that leaves again; call it once. Rejects with the signal's reason. */
  async acquire(signal?: AbortSignal): Promise<() => void> {
    signal?.throwIfAborted();
    if (this.#free > 0) this.#free--;
    else await this.#wait(signal);
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      // Below zero: the limit was lowered while more were inside.
      const next = this.#free < 0 ? undefined : this.#waiting.shift();
      if (next) next.enter();
      else this.#free++;
    };
  }

  async #wait(signal: AbortSignal | undefined): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const entry = { enter: resolve, signal };
    this.#waiting.push(entry);
    const leave = (): void => {
      const at = this.#waiting.indexOf(entry);
      if (at < 0) return;
      this.#waiting.splice(at, 1);
      reject(signal?.reason);
    };
    signal?.addEventListener('abort', leave, { once: true });
    try {
      await promise;
    } finally {
      signal?.removeEventListener('abort', leave);
    }
  }
}
