import type { Socket } from 'node:net';

/** Bytes that may have come in, each through a buffer that is garbage now, before it is collected. */
const worthwhile = 16 * 1024 * 1024;
/** Milliseconds between two looks at what went out, while bytes flow. */
const interval = 15;

/**
 * Keeps the memory small while much flows through: the runtime itself lets hundreds of megabytes of buffers pile up before it looks. With the
 * small heap that a registry has, a collection takes a millisecond or two. Costs nothing while nothing flows.
 */
export class TrafficCollection {
  readonly #sockets = new Set<Socket>();
  #received = 0;
  /** Bytes of connections that are gone. */
  #sentBefore = 0;
  #sentAtCollection = 0;
  #sentAtLook = 0;
  #isWatching = false;

  add(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('data', (chunk: Buffer) => {
      this.#received += chunk.length;
      if (this.#received >= worthwhile) this.#collect();
      this.#watch();
    });
    socket.once('close', () => {
      this.#sockets.delete(socket);
      this.#sentBefore += socket.bytesWritten;
    });
  }

  #collect(): void {
    Bun.gc(true);
    this.#received = 0;
    this.#sentAtCollection = this.#sent();
  }

  #sent(): number {
    let total = this.#sentBefore;
    for (const socket of this.#sockets) total += socket.bytesWritten;
    return total;
  }

  #watch(): void {
    if (this.#isWatching) return;
    this.#isWatching = true;
    setTimeout(() => this.#look(), interval).unref();
  }

  #look(): void {
    const sent = this.#sent();
    if (sent - this.#sentAtCollection >= worthwhile) this.#collect();
    this.#isWatching = false;
    if (sent > this.#sentAtLook) this.#watch();
    this.#sentAtLook = sent;
  }
}
