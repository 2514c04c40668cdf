/** A connection in the hands of somebody who reads or writes its descriptor himself. */
import type { Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import type { Framing } from './head.ts';

export interface LentConnection {
  /**
   * As it is now, -1 once the connection is closed; its number may be another connection's then, so whoever works with it takes a duplicate at
   * once. It does not block.
   */
  descriptor(): number;
  /** The other side is on this machine. */
  readonly isLocal: boolean;
  /** Says `close`. */
  readonly connection: Socket;
}

export interface LentBody extends LentConnection {
  readonly framing: Exclude<Framing, { kind: 'none' }>;
  /** What was read behind the head. */
  readonly ahead: Buffer;
  /** The body is at its end. @param behind what was read of the next request; null: it broke off, the connection ends after the answer */
  giveBack(behind: Uint8Array | null): void;
}

/** What the runtime has below a socket. */
interface Handle {
  fd?: unknown;
  pause(): void;
}

function handleOf(socket: Socket): Handle | null {
  return (socket as { _handle?: Handle | null })._handle ?? null;
}

/** Null: the bytes on the wire are not those of the body (TLS), or nobody knows the descriptor. */
export function lentConnection(socket: Socket): LentConnection | null {
  const descriptor = (): number => {
    const number = handleOf(socket)?.fd;
    return typeof number === 'number' ? number : -1;
  };
  if ('encrypted' in socket || descriptor() < 0) return null;
  return { descriptor, connection: socket, isLocal: socket.remoteAddress === socket.localAddress };
}

/**
 * Resolves when the event loop will not read from the socket any more; what it had read was given to the listeners of 'data'. `resume` undoes it.
 * `pause` alone only stops the events: the runtime goes on reading until its own buffer is full.
 */
export async function stopReading(socket: Socket): Promise<void> {
  socket.pause();
  do {
    while (socket.read() !== null);
    handleOf(socket)?.pause();
    // A read that was under way puts its piece into the buffer, and has the reading go on.
    await setImmediate();
  } while (socket.readableLength > 0);
}
