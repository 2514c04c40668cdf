/** The event loop's side: hands transfers to threads, and tells how they ended. */
import { getSystemErrorName } from 'node:util';
import type { Worker } from 'node:worker_threads';
import { Bell, close, duplicate } from './calls.ts';
import type { Order, Outcome, ReceiveOrder, SendOrder, Trouble } from './orders.ts';

export interface TransfersOptions {
  /** Starts a thread that runs a `Mover`. @param bell that it is to poll */
  start(bell: number): Worker;
  /** How many threads there may be. */
  most: number;
  /** Told when a thread could not be started, once until one could be again. */
  onFailure?(error: unknown): void;
}

/** A transfer that broke off. `code`: as of any failed call, or `EOF`, `SLOW`, `CANCELLED`, `MALFORMED`. */
class TransferError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** Calls `leave` when the transfer is to be broken off; gives the function that takes it back. */
export type WatchForEnd = (leave: () => void) => () => void;

/** Threads are started when there is work for them. Which of them has seen the beginning of a file goes on with it: it has the hash. */
export class Transfers {
  readonly #options: TransfersOptions;
  readonly #threads: Thread[] = [];
  readonly #homes = new Map<string, Thread>();
  /** The last thread that was wanted could not be started. */
  #isFailing = false;

  constructor(options: TransfersOptions) {
    this.#options = options;
  }

  /** False: there is no thread and none can be started. Whoever asks moves the bytes himself. */
  get isAvailable(): boolean {
    return this.#leastBusy() !== null;
  }

  /** Gives the position behind the last byte, and what was read behind the body. Error: with a code; what came before is in the file. */
  async receive(order: ReceiveOrder, watch: WatchForEnd): Promise<{ position: number; behind: Uint8Array }> {
    const thread = this.#homes.get(order.key) ?? this.#anyThread();
    this.#homes.set(order.key, thread);
    const { position, behind } = await thread.transfer({ kind: 'receive', ...order }, watch);
    return { position, behind: behind ?? new Uint8Array() };
  }

  /** Error: with a code. */
  async send(order: SendOrder, watch: WatchForEnd): Promise<void> {
    await this.#anyThread().transfer({ kind: 'send', ...order }, watch);
  }

  /** The SHA-256 of what was received for `key`, in hexadecimal, where that is the file's first `length` bytes; else null. Forgets it. */
  async digest(key: string, length: number): Promise<string | null> {
    const thread = this.#homes.get(key);
    this.#homes.delete(key);
    return thread ? (await thread.ask({ kind: 'digest', key, length })).digest : null;
  }

  forget(key: string): void {
    this.#homes.get(key)?.tell({ kind: 'forget', key });
    this.#homes.delete(key);
  }

  /** What is under way breaks off. */
  close(): void {
    for (const thread of this.#threads) thread.stop();
  }

  /** A new one rather than one that has work; null: there is none. */
  #leastBusy(): Thread | null {
    const [first] = this.#threads.toSorted((one, other) => one.load - other.load);
    if (first && (first.load === 0 || this.#threads.length >= this.#options.most)) return first;
    return this.#start() ?? first ?? null;
  }

  /** Error: with a code. */
  #anyThread(): Thread {
    const thread = this.#leastBusy();
    if (!thread) throw new TransferError('EAGAIN', 'no thread can be started');
    return thread;
  }

  #start(): Thread | null {
    try {
      const thread = new Thread(this.#options.start, () => this.#remove(thread));
      this.#threads.push(thread);
      this.#isFailing = false;
      return thread;
    } catch (error) {
      if (!this.#isFailing) this.#options.onFailure?.(error);
      this.#isFailing = true;
      return null;
    }
  }

  #remove(thread: Thread): void {
    this.#threads.splice(this.#threads.indexOf(thread), 1);
    for (const [key, home] of this.#homes) if (home === thread) this.#homes.delete(key);
  }
}

type WithoutId<Kind> = Kind extends { id: number } ? Omit<Kind, 'id'> : never;

class Thread {
  readonly #bell = new Bell();
  readonly #worker: Worker;
  readonly #waiting = new Map<number, PromiseWithResolvers<Outcome>>();
  #lastId = 0;

  constructor(start: (bell: number) => Worker, onDeath: () => void) {
    try {
      this.#worker = start(this.#bell.descriptor);
    } catch (error) {
      close(this.#bell.descriptor);
      throw error;
    }
    this.#worker.unref();
    this.#worker.on('message', (outcome: Outcome) => {
      this.#waiting.get(outcome.id)?.resolve(outcome);
      this.#waiting.delete(outcome.id);
    });
    this.#worker.once('error', (error: unknown) => {
      onDeath();
      for (const { reject } of this.#waiting.values()) reject(error);
      this.#waiting.clear();
    });
  }

  get load(): number {
    return this.#waiting.size;
  }

  tell(order: Order): void {
    this.#worker.postMessage(order);
    this.#bell.ring();
  }

  ask(order: WithoutId<Order>): Promise<Outcome> {
    const id = ++this.#lastId;
    const answer = Promise.withResolvers<Outcome>();
    this.#waiting.set(id, answer);
    this.tell({ ...order, id } as Order);
    return answer.promise;
  }

  /** The thread works on a descriptor of its own: the connection's may be closed, and its number used again, at any time. */
  async transfer(
    order: ({ kind: 'receive' } & ReceiveOrder) | ({ kind: 'send' } & SendOrder),
    watch: WatchForEnd,
  ): Promise<Outcome> {
    if (order.socket < 0) throw errorOf({ kind: 'cancelled' });
    const socket = duplicate(order.socket);
    if (socket < 0) throw new TransferError('EMFILE', 'too many open files');
    let unwatch: (() => void) | null = null;
    try {
      const answer = this.ask({ ...order, socket });
      const id = this.#lastId;
      unwatch = watch(() => this.tell({ kind: 'cancel', id }));
      const outcome = await answer;
      if (outcome.trouble) throw errorOf(outcome.trouble);
      return outcome;
    } finally {
      unwatch?.();
      close(socket);
    }
  }

  stop(): void {
    this.tell({ kind: 'stop' });
  }
}

function errorOf(trouble: Trouble): TransferError {
  switch (trouble.kind) {
    case 'call': {
      const name = getSystemErrorName(-trouble.errno);
      return new TransferError(name, `${trouble.call}: ${name}`);
    }
    case 'eof':
      return new TransferError('EOF', 'unexpected EOF');
    case 'slow':
      return new TransferError('SLOW', 'too slow');
    case 'cancelled':
      return new TransferError('CANCELLED', 'the connection was closed');
    case 'malformed':
      return new TransferError('MALFORMED', trouble.message);
  }
}
