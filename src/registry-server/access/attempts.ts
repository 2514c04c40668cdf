/** Counts what somebody tries, and says when it was too often. */

export interface AttemptLimit {
  most: number;
  /** Milliseconds in which they count together. */
  window: number;
}

/** Keys that are remembered; a stranger picks them. */
const mostKeys = 20_000;

export class Attempts {
  readonly #limit: AttemptLimit;
  /** In the order in which their windows began. */
  readonly #counts = new Map<string, { count: number; began: number }>();

  constructor(limit: AttemptLimit) {
    this.#limit = limit;
  }

  /**
   * Counts an attempt before it is made, so that many at once do not slip through. Gives 0, or the seconds after which there is one more.
   * @param now milliseconds of any steady clock
   */
  take(key: string, now = performance.now()): number {
    const known = this.#counts.get(key);
    const { most, window } = this.#limit;
    if (known && now < known.began + window) {
      if (known.count >= most) return Math.ceil((known.began + window - now) / 1000);
      known.count++;
      return 0;
    }
    this.#counts.delete(key);
    this.#makeRoom(now);
    this.#counts.set(key, { count: 1, began: now });
    return 0;
  }

  /** The seconds after which there is one more, 0 where there is one now. Counts nothing. */
  wait(key: string, now = performance.now()): number {
    const known = this.#counts.get(key);
    const { most, window } = this.#limit;
    return known && known.count >= most ? Math.max(0, Math.ceil((known.began + window - now) / 1000)) : 0;
  }

  /** The attempt that was counted last was a good one. */
  giveBack(key: string): void {
    const known = this.#counts.get(key);
    if (known && --known.count <= 0) this.#counts.delete(key);
  }

  forget(key: string): void {
    this.#counts.delete(key);
  }

  #makeRoom(now: number): void {
    for (const [key, { began }] of this.#counts) {
      if (this.#counts.size < mostKeys && now < began + this.#limit.window) return;
      this.#counts.delete(key);
    }
  }
}
