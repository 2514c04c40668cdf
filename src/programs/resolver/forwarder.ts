/** Asks other name servers what no container is called, over the protocol that the client used. */
import { answersQuery, codeOf, responseCode } from '../../engine/networks/names/dns-message.ts';
import type { Upstream } from '../../engine/networks/names/name-book.ts';
import type { NetworkNamespace } from '../../host/netlink/network-namespace.ts';
import { askTcp, askUdp } from './ask-server.ts';

export type Transport = 'udp' | 'tcp';

/** Servers asked at most, as dockerd does. */
const mostServers = 3;
/** Milliseconds after which a silent server's successor is asked too; the first answer of either counts. */
const patience = 1000;
/** Milliseconds after which a query is given up; the C library of most clients waits for five seconds. */
const deadline = 4500;
/** Milliseconds for which a server that was silent is asked last. */
const distrust = 30_000;
/** Questions of one container on their way at once. */
const mostAtOnce = 512;

export class Forwarder {
  readonly #namespace: NetworkNamespace;
  readonly #silent = new Map<string, number>();
  #pending = 0;

  /** @param namespace the container's */
  constructor(namespace: NetworkNamespace) {
    this.#namespace = namespace;
  }

  /** The reply of the first server that has one; null: none has. */
  async ask(query: Buffer, upstreams: readonly Upstream[], transport: Transport): Promise<Buffer | null> {
    if (this.#pending >= mostAtOnce) return null;
    this.#pending++;
    try {
      return await this.#askInTurn(query, this.#inOrder(upstreams), transport);
    } finally {
      this.#pending--;
    }
  }

  #inOrder(upstreams: readonly Upstream[]): Upstream[] {
    const isSilent = ({ address }: Upstream): boolean => (this.#silent.get(address) ?? 0) > performance.now();
    return upstreams.slice(0, mostServers).sort((a, b) => Number(isSilent(a)) - Number(isSilent(b)));
  }

  #askInTurn(query: Buffer, servers: Upstream[], transport: Transport): Promise<Buffer | null> {
    const { promise, resolve } = Promise.withResolvers<Buffer | null>();
    const ends: (() => void)[] = [];
    let waiting = 0;
    let next = 0;
    let turn: ReturnType<typeof setTimeout> | undefined;
    const begin = (): void => {
      clearTimeout(turn);
      const server = servers[next++];
      if (!server) {
        if (waiting === 0) finish(null);
        return;
      }
      waiting++;
      turn = setTimeout(() => {
        this.#silent.set(server.address, performance.now() + distrust);
        begin();
      }, patience);
      ends.push(
        this.#start(query, server, transport, (reply) => {
          waiting--;
          if (reply) this.#silent.delete(server.address);
          if (reply && isUseful(reply, query)) finish(reply);
          else begin();
        }),
      );
    };
    const finish = (reply: Buffer | null): void => {
      clearTimeout(turn);
      clearTimeout(end);
      for (const stop of ends) stop();
      resolve(reply);
    };
    const end = setTimeout(() => finish(null), deadline);
    begin();
    return promise;
  }

  /** @param onReply called once; null: the server cannot be reached */
  #start(query: Buffer, server: Upstream, transport: Transport, onReply: (reply: Buffer | null) => void): () => void {
    const ask = transport === 'udp' ? askUdp : askTcp;
    const start = (): (() => void) => ask(server.address, query, onReply);
    return server.fromContainer ? this.#namespace.run(start) : start();
  }
}

/** A server that fails or refuses may have a colleague who knows. */
function isUseful(reply: Buffer, query: Buffer): boolean {
  if (!answersQuery(reply, query)) return false;
  const code = codeOf(reply);
  return code !== responseCode.serverFailure && code !== responseCode.refused;
}
