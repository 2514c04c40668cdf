import type { Socket } from 'node:net';
import type { Server } from 'node:tls';

/** Milliseconds that a client may take for its TLS handshake. */
const patience = 30_000;

/** Closes connections that do not come to the end of their handshake. The runtime's own limit (`handshakeTimeout`) does nothing. */
export function limitHandshakes(server: Server, milliseconds = patience): Server {
  const timers = new WeakMap<Socket, ReturnType<typeof setTimeout>>();
  const stop = (socket: Socket): void => clearTimeout(timers.get(socket));
  server.on('connection', (socket) => {
    const timer = setTimeout(() => socket.destroy(), milliseconds);
    timer.unref();
    timers.set(socket, timer);
    socket.once('close', () => stop(socket));
  });
  server.on('secureConnection', stop);
  return server;
}
