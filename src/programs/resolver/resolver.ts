import { KeyedMutex } from '../../base/mutex.ts';
import { isQuery, readQuestion, responseCode, writeAnswer } from '../../engine/networks/names/dns-message.ts';
import { NameBook } from '../../engine/networks/names/name-book.ts';
import { resolve } from '../../engine/networks/names/resolve.ts';
import type { ResolverSandbox } from '../../engine/networks/names/resolver-protocol.ts';
import { type AnswerQuery, openSandboxSockets, type SandboxNetwork, type SandboxSockets } from './sandbox-sockets.ts';

/** Longest message over TCP. */
const noLimit = 65_535;

/** The names of an engine's containers, and the sockets where they ask for them. */
export class Resolver {
  readonly #book = new NameBook();
  readonly #sockets = new Map<string, SandboxSockets>();
  /** Openings and closings of one container happen one after the other. */
  readonly #mutex = new KeyedMutex();

  get ids(): string[] {
    return this.#book.ids;
  }

  /** Enters a container, or changes what is known of it. */
  async put({ names, pid }: ResolverSandbox): Promise<void> {
    this.#book.put(names);
    if (pid !== null) await this.open(names.id, { pid, isFresh: false });
  }

  /** Makes these the only ones. One whose network is gone has no sockets then: its end is told soon. */
  async sync(sandboxes: readonly ResolverSandbox[]): Promise<void> {
    const wanted = new Set(sandboxes.map(({ names }) => names.id));
    for (const id of this.ids) if (!wanted.has(id)) this.drop(id);
    // Names first: whoever asks meanwhile finds everybody.
    for (const { names } of sandboxes) this.#book.put(names);
    await Promise.allSettled(sandboxes.map((sandbox) => this.put(sandbox)));
  }

  drop(id: string): void {
    this.#book.drop(id);
    void this.#mutex.run(id, () => this.#close(id));
  }

  /**
   * Makes the container's sockets.
   * @param network a fresh one takes the place of another: the container starts once more
   */
  open(id: string, network: SandboxNetwork): Promise<void> {
    return this.#mutex.run(id, async () => {
      if (!this.#book.sandbox(id)) throw new Error(`the resolver knows no container ${id}`);
      if (this.#sockets.has(id) && !network.isFresh) return;
      this.#close(id);
      this.#sockets.set(id, await openSandboxSockets(network, this.#answer(id)));
    });
  }

  #close(id: string): void {
    this.#sockets.get(id)?.close();
    this.#sockets.delete(id);
  }

  #answer(id: string): AnswerQuery {
    return (query, { transport, forwarder }) => {
      if (!isQuery(query)) return null;
      const question = readQuestion(query);
      const isOverUdp = transport === 'udp';
      const limit = isOverUdp ? (question?.limit ?? 0) : noLimit;
      const fail = (code: number): Buffer => writeAnswer(query, question, { code, records: [] }, noLimit);
      if (!question) return fail(responseCode.format);
      const own = resolve(this.#book, id, question);
      if (own) return writeAnswer(query, question, own, limit);
      const sandbox = this.#book.sandbox(id);
      if (!sandbox?.forwards || sandbox.upstreams.length === 0) return fail(responseCode.serverFailure);
      // The datagram's memory is used again when this function returns.
      const kept = Buffer.from(query);
      return forwarder
        .ask(kept, sandbox.upstreams, transport)
        .then(
          (reply) => reply ?? writeAnswer(kept, question, { code: responseCode.serverFailure, records: [] }, noLimit),
        );
    };
  }
}
