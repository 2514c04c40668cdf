import { Duplex, type Readable } from 'node:stream';

/**
 * A duplex that can be handed out before the stream behind it exists. What is written meanwhile waits, with back-pressure;
 * reading gives nothing until `connect`. Ending the writable half does not end the readable one.
 */
export class DeferredDuplex extends Duplex {
  #target: Duplex | null = null;
  /** What comes before the real stream. */
  #prelude: Readable | null = null;
  #held: (() => void) | null = null;
  #ended = false;

  constructor() {
    super({ allowHalfOpen: true });
  }

  /** Gives all of `prelude`, then calls `done`, which may connect. What is written meanwhile waits. */
  play(prelude: Readable, done: () => void): void {
    this.#prelude = prelude;
    prelude.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) prelude.pause();
    });
    prelude.on('error', (error) => this.destroy(error));
    prelude.on('end', () => {
      this.#prelude = null;
      done();
    });
  }

  /**
   * Joins it to the real stream; null: there will be none, so reading ends. At most once.
   * @param before where given, reading ends only when this has settled
   */
  connect(target: Duplex | null, before?: Promise<unknown>): void {
    if (this.destroyed) {
      target?.destroy();
      return;
    }
    if (target === null) {
      this.push(null);
      this.#release();
      return;
    }
    this.#target = target;
    target.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) target.pause();
    });
    const end = (): void => {
      // The end may be reported twice: by the stream and by its closing.
      if (!this.readableEnded && !this.#ended) this.push(null);
      this.#ended = true;
    };
    const endInTurn = (): void => {
      if (before) before.then(end, end);
      else end();
    };
    target.on('end', endInTurn);
    target.on('error', (error) => this.destroy(error));
    target.on('close', () => {
      // A stream that was cut off has no end of its own.
      if (!target.readableEnded) endInTurn();
      this.#release();
    });
    this.#release();
  }

  override _read(): void {
    (this.#prelude ?? this.#target)?.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#whenConnected(() => {
      const target = this.#target;
      if (!target || target.destroyed || target.writableEnded) return done();
      if (target.write(chunk)) return done();
      const settle = (): void => {
        target.off('drain', settle);
        target.off('close', settle);
        done();
      };
      target.on('drain', settle);
      target.on('close', settle);
    });
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#whenConnected(() => {
      this.#target?.end();
      done();
    });
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#prelude?.destroy();
    this.#target?.destroy();
    this.#release();
    done(error);
  }

  #whenConnected(work: () => void): void {
    if (this.#target || this.destroyed || this.readableEnded) work();
    else this.#held = work;
  }

  #release(): void {
    const held = this.#held;
    this.#held = null;
    held?.();
  }
}
