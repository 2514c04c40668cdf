import type { ByteReader } from './transport.ts';

/** Above this many waiting bytes the source is paused; it goes on at the lower mark. */
const highMark = 1 << 20;
const lowMark = 1 << 18;

/** Turns pushed bytes into pulled ones, with back-pressure to the source. */
export class ByteQueue implements ByteReader {
  private chunks: Uint8Array[] = [];
  private next = 0;
  private size = 0;
  private ended = false;
  private failure: Error | undefined;
  private paused = false;
  private waiter: { resolve: (bytes: Uint8Array | null) => void; reject: (error: Error) => void } | undefined;
  private readonly source: { pause(): void; resume(): void };

  constructor(source: { pause(): void; resume(): void }) {
    this.source = source;
  }

  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    if (this.waiter) {
      const { resolve } = this.waiter;
      this.waiter = undefined;
      resolve(bytes);
      return;
    }
    this.chunks.push(bytes);
    this.size += bytes.length;
    if (!this.paused && this.size >= highMark) {
      this.paused = true;
      this.source.pause();
    }
  }

  /** No more bytes will come. */
  finish(): void {
    if (this.ended) return;
    this.ended = true;
    this.waiter?.resolve(null);
    this.waiter = undefined;
  }

  /** Readers get what came before, then the error. */
  fail(error: Error): void {
    if (this.ended) return;
    this.ended = true;
    this.failure = error;
    this.waiter?.reject(error);
    this.waiter = undefined;
  }

  take(): Uint8Array | undefined {
    const bytes = this.chunks[this.next];
    if (!bytes) return undefined;
    this.next++;
    if (this.next === this.chunks.length) {
      this.chunks = [];
      this.next = 0;
    }
    this.size -= bytes.length;
    if (this.paused && this.size <= lowMark) {
      this.paused = false;
      this.source.resume();
    }
    return bytes;
  }

  read(): Promise<Uint8Array | null> {
    const bytes = this.take();
    if (bytes) return Promise.resolve(bytes);
    if (this.failure) return Promise.reject(this.failure);
    if (this.ended) return Promise.resolve(null);
    return new Promise((resolve, reject) => {
      this.waiter = { resolve, reject };
    });
  }
}
