/** Name questions over TCP: a connection may ask many times, and is answered as answers come. */
import { FrameReader, frame } from './tcp-frames.ts';

interface Client {
  reader: FrameReader;
  /** Questions without an answer yet. */
  pending: number;
  /** What the connection had no room for. */
  unsent: Buffer;
}

/** Seconds of silence after which a connection is closed. */
const idleSeconds = 30;
/** A client that asks more than it waits for, or does not read, is left alone. */
const mostPending = 64;
const mostUnsent = 1024 * 1024;

export interface TcpServer {
  port: number;
  stop(closeConnections: boolean): void;
}

/** Listens at the address on a random port. @param answer null: no reply */
export function serveTcp(
  hostname: string,
  answer: (query: Buffer) => Buffer | null | Promise<Buffer | null>,
): TcpServer {
  const reply = (socket: Bun.Socket<Client>, message: Buffer | null): void => {
    socket.data.pending--;
    if (!message || socket.readyState <= 0) return;
    send(socket, frame(message));
  };
  return Bun.listen<Client>({
    hostname,
    port: 0,
    socket: {
      open(socket) {
        socket.data = { reader: new FrameReader(), pending: 0, unsent: Buffer.alloc(0) };
        socket.timeout(idleSeconds);
      },
      data(socket, chunk) {
        socket.timeout(idleSeconds);
        for (const query of socket.data.reader.read(chunk)) {
          if (++socket.data.pending > mostPending) {
            socket.terminate();
            return;
          }
          const message = answer(query);
          if (message instanceof Promise) void message.then((later) => reply(socket, later));
          else reply(socket, message);
        }
      },
      drain(socket) {
        const { unsent } = socket.data;
        socket.data.unsent = Buffer.alloc(0);
        send(socket, unsent);
      },
      timeout: (socket) => void socket.end(),
      // The client went; its next question comes over another connection.
      error: (socket) => void socket.terminate(),
    },
  });
}

function send(socket: Bun.Socket<Client>, bytes: Buffer): void {
  const { data } = socket;
  if (data.unsent.length > 0) data.unsent = Buffer.concat([data.unsent, bytes]);
  else data.unsent = bytes.subarray(socket.write(bytes));
  if (data.unsent.length > mostUnsent) socket.terminate();
}
