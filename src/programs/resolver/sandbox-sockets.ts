/** A container's end of the resolver: sockets at 127.0.0.11 inside of its network namespace. */
import { redirectNames, resolverAddress, resolverBytes } from '../../host/firewall/name-redirect.ts';
import { openDatagramSocket } from '../../host/netlink/datagram-socket.ts';
import { NetworkNamespace } from '../../host/netlink/network-namespace.ts';
import { Forwarder, type Transport } from './forwarder.ts';
import { serveTcp } from './serve-tcp.ts';

/** Gives the reply to a query, at once where nobody else has to be asked; null: none. */
export type AnswerQuery = (
  query: Buffer,
  from: { transport: Transport; forwarder: Forwarder },
) => Buffer | null | Promise<Buffer | null>;

export interface SandboxNetwork {
  /** Of a process in it. */
  pid: number;
  /** It was made a moment ago. */
  isFresh: boolean;
}

export interface SandboxSockets {
  /** Closes them; the namespace is held no more. */
  close(): void;
}

/**
 * Makes the sockets and leads the container's questions to them. They are there when it resolves.
 * Errors: there is none any more; what the kernel refuses.
 */
export async function openSandboxSockets(
  { pid, isFresh }: SandboxNetwork,
  answer: AnswerQuery,
): Promise<SandboxSockets> {
  const namespace = new NetworkNamespace(`/proc/${pid}/ns/net`);
  const forwarder = new Forwarder(namespace);
  const undo: (() => void)[] = [() => namespace.close()];
  const close = (): void => {
    for (const step of undo.splice(0).reverse()) step();
  };
  try {
    const [datagrams, tcp] = namespace.run(
      () =>
        [
          openDatagramSocket(resolverBytes),
          serveTcp(resolverAddress, (query) => answer(query, { transport: 'tcp', forwarder })),
        ] as const,
    );
    undo.push(() => tcp.stop(true));
    const udp = await serveUdp(datagrams, (query) => answer(query, { transport: 'udp', forwarder }));
    undo.push(() => udp.close());
    namespace.run(() => redirectNames({ udp: udp.port, tcp: tcp.port }, isFresh));
    return { close };
  } catch (error) {
    close();
    throw error;
  }
}

/** A reply that finds the client's socket full is lost, as datagrams are. */
function serveUdp(
  fd: number,
  answer: (query: Buffer) => Buffer | null | Promise<Buffer | null>,
): Promise<Bun.udp.Socket<'buffer'>> {
  const socket: Bun.udp.SocketHandler<'buffer'> = {
    data(from, query, port, address) {
      const reply = answer(query);
      if (reply === null) return;
      if (!(reply instanceof Promise)) {
        from.send(reply, port, address);
        return;
      }
      void reply.then((later) => {
        if (later && !from.closed) from.send(later, port, address);
      });
    },
  };
  // `fd` is not in Bun's types; the descriptor is the socket's from here on.
  return Bun.udpSocket({ fd, socket } as unknown as Bun.udp.SocketOptions<'buffer'>);
}
