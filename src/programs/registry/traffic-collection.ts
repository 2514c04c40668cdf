import type { Socket } from 'node:net';

/** Milliseconds between two looks while bytes flow. */
const interval = 15;
/** Bytes that may have passed, each through a buffer that is garbage now, before it is collected. */
const worthwhile = 16 * 1024 * 1024;

/**
 * Keeps the memory small while much flows through: the runtime itself lets hundreds of megabytes of buffers pile up before it looks. With the
 * small heap that a registry has, a collection takes a millisecond or two. Costs nothing while nothing flows.
 */
export class TrafficCollection {
  readonly #sockets = new Set<Socket>();
  /** Bytes of connections that are gone. */
  #before = 0;
  #seen = 0;
  #collected = 0;
  #isWatching = false;

  add(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('data', () => this.#watch());
    socket.once('close', () => {
      this.#sockets.delete(socket);
      this.#before += socket.bytesRead + socket.bytesWritten;
    });
  }

  #watch(): void {
    if (this.#isWatching) return;
    this.#isWatching = true;
    setTimeout(() => this.#look(), interval).unref();
  }

  #look(): void {
    let total = this.#before;
    for (const socket of this.#sockets) total += socket.bytesRead + socket.bytesWritten;
    if (total - this.#collected >= worthwhile) {
      Bun.gc(true);
      this.#collected = total;
    }
    this.#isWatching = false;
    if (total > this.#seen) this.#watch();
    this.#seen = total;
  }
}
