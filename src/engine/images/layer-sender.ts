import { BerthError } from '../../api/errors.ts';
import type { BlobFacts } from '../../distribution/made-blob.ts';
import type { Registries } from '../../distribution/registries.ts';
import type { Repository } from '../../distribution/repository.ts';
import { runJob } from '../../host/process/job.ts';
import type { LayerSource, PushMessage, PushOrder } from './push-job.ts';

export interface SendHooks {
  /** Bytes of the source that are on their way. */
  onProgress: (current: number) => void;
  onRetry: (seconds: number) => void;
}

interface Sending extends SendHooks {
  resolve: (pushed: BlobFacts) => void;
  reject: (error: unknown) => void;
}

/** Sends the layers of one push, in a child that begins with the first of them. */
export class LayerSender {
  readonly #repository: Repository;
  readonly #registries: Registries;
  readonly #signal: AbortSignal;
  readonly #sending = new Map<number, Sending>();
  #tell: ((order: object) => void) | null = null;
  #running: Promise<void> = Promise.resolve();
  #last = 0;

  /** @param signal ends the child at once, and with it all that it sends */
  constructor(repository: Repository, { registries, signal }: { registries: Registries; signal: AbortSignal }) {
    this.#repository = repository;
    this.#registries = registries;
    this.#signal = signal;
  }

  /** Resolves when the registry has it. Errors: the registry's, in the words for clients; `cancelled`. */
  send(source: LayerSource, hooks: SendHooks): Promise<BlobFacts> {
    const id = ++this.#last;
    const { promise, resolve, reject } = Promise.withResolvers<BlobFacts>();
    this.#sending.set(id, { ...hooks, resolve, reject });
    if (!this.#tell) this.#start();
    this.#order({ kind: 'send', id, source });
    return promise;
  }

  /** Call when nothing is being sent; resolves when the child is gone. */
  async close(): Promise<void> {
    if (this.#tell) this.#order({ kind: 'end' });
    await this.#running;
  }

  #order(order: PushOrder): void {
    this.#tell?.(order);
  }

  #start(): void {
    const running = runJob(
      'push-layers',
      {},
      {
        signal: this.#signal,
        onStart: (tell) => {
          this.#tell = tell;
        },
        onMessage: (message) => this.#hear(message as PushMessage),
      },
    );
    this.#running = running.then(
      () => this.#end(new BerthError('internal', 'the pushing job said nothing')),
      (error: unknown) => this.#end(error),
    );
    const { address } = this.#repository;
    this.#order({ kind: 'open', repository: address, registries: this.#registries.settings });
  }

  #end(error: unknown): void {
    for (const { reject } of this.#sending.values()) reject(error);
    this.#sending.clear();
  }

  #hear(message: PushMessage): void {
    const sending = this.#sending.get(message.id);
    if ('progress' in message) sending?.onProgress(message.progress);
    else if ('retry' in message) sending?.onRetry(message.retry);
    else {
      this.#sending.delete(message.id);
      if ('pushed' in message) sending?.resolve(message.pushed);
      else sending?.reject(new BerthError(message.failed.kind, message.failed.message));
    }
  }
}
