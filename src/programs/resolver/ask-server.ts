/** One question to one name server. The socket is made before the call returns, in the network namespace that the thread is in. */
import { answersQuery } from '../../engine/networks/names/dns-message.ts';
import { FrameReader, frame } from './tcp-frames.ts';

const namePort = 53;

/**
 * @param onReply called at most once; null: the server cannot be reached
 * @returns ends it; `onReply` is not called any more
 */
export type AskServer = (address: string, query: Buffer, onReply: (reply: Buffer | null) => void) => () => void;

/** Over UDP, from a port of its own for each question: what others send there is not taken for an answer. */
export const askUdp: AskServer = (address, query, onReply) => {
  const settle = once(onReply);
  const opening = Bun.udpSocket({
    // Otherwise the socket is one of IPv4, and cannot reach the others.
    ...(address.includes(':') ? { hostname: '::' } : {}),
    connect: { hostname: address, port: namePort },
    socket: {
      data(_socket, data) {
        if (answersQuery(data, query)) settle(Buffer.from(data));
      },
      error: () => settle(null),
    },
  });
  opening.then(
    (socket) => {
      if (!settle.ended) socket.send(query);
    },
    () => settle(null),
  );
  return () => {
    settle.end();
    opening.then(
      (socket) => socket.close(),
      () => undefined, // told above
    );
  };
};

export const askTcp: AskServer = (address, query, onReply) => {
  const settle = once(onReply);
  const reader = new FrameReader();
  const opening = Bun.connect({
    hostname: address,
    port: namePort,
    socket: {
      open: (socket) => void socket.write(frame(query)),
      data(_socket, data) {
        for (const reply of reader.read(data)) settle(reply);
      },
      close: () => settle(null),
      error: () => settle(null),
    },
  });
  opening.catch(() => settle(null));
  return () => {
    settle.end();
    opening.then(
      (socket) => socket.terminate(),
      () => undefined, // told above
    );
  };
};

interface Settle {
  (reply: Buffer | null): void;
  readonly ended: boolean;
  end(): void;
}

function once(onReply: (reply: Buffer | null) => void): Settle {
  let ended = false;
  const settle = (reply: Buffer | null): void => {
    if (ended) return;
    ended = true;
    onReply(reply);
  };
  return Object.defineProperty(
    Object.assign(settle, {
      end() {
        ended = true;
      },
    }),
    'ended',
    { get: () => ended },
  ) as Settle;
}
