import type { Duplex } from 'node:stream';

const noop = (): void => {};

/** How long a client that was told the end may go on sending. */
const lingerMilliseconds = 2000;

/** Ends our half, reads over what still comes, and closes when the client does or after a moment. */
export function lingeringClose(socket: Duplex): void {
  if (socket.destroyed) return;
  const timer = setTimeout(() => socket.destroy(), lingerMilliseconds);
  timer.unref();
  socket.once('close', () => clearTimeout(timer));
  socket.on('error', noop);
  socket.on('data', noop);
  socket.once('end', () => {
    // With our half flushed both directions are over.
    if (socket.writableFinished) socket.destroy();
    else socket.once('finish', () => socket.destroy());
  });
  socket.end();
  socket.resume();
}
