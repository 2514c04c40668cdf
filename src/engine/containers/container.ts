import type { Duplex } from 'node:stream';
import type { AttachRequest } from '../../supervisor/types.ts';
import type { Upload } from './archive/upload.ts';
import type { ContainerRecord } from './record.ts';
import { type ContainerState, nextState, refusal, type Transition } from './states.ts';

/** A client that attached before the start. */
export interface PendingAttachment {
  request: AttachRequest;
  /** Hands over the container's streams; null: it will not start, or is removed. */
  connect(stream: Duplex | null): void;
}

/** How an exit is told to those who wait for it. */
export interface ExitNotice {
  exitCode: number;
  /** Why waiting or removing failed; empty: nothing failed. */
  error: string;
}

/** A container as the engine holds it in memory: the record and what is true only while the engine runs. */
export class Container {
  readonly record: ContainerRecord;
  /** Host pid of the first process; 0 when there is none. */
  pid = 0;
  /** Ids of its execs that have not been forgotten. */
  readonly execs = new Set<string>();
  readonly pending: PendingAttachment[] = [];
  /** How often somebody has asked it to end: a pause that meets such a wish gives way. */
  endings = 0;
  /** Restarts under way: an exit in between does not remove a `--rm` container. */
  restarts = 0;
  /** Settles when the last exit is cleaned up; a start waits for it. */
  cleaning: Promise<void> | null = null;
  /** Somebody may have written into its root: it ran, or files were copied there. */
  hasOwnFiles: boolean;
  /** The image's layers, the top first, where they were looked up: an image that has a container keeps them. */
  imageLayers: string[] | null = null;
  /** Settles when its directories exist. */
  prepared: Promise<void> | null = null;
  /** Files on their way into its root while it does not run. */
  upload: Upload | null = null;
  restart: RestartClock = { timer: null, delay: 0 };
  readonly #exitWaiters = new Set<(notice: ExitNotice) => void>();
  readonly #removalWaiters = new Set<(notice: ExitNotice) => void>();

  constructor(record: ContainerRecord) {
    this.record = record;
    this.hasOwnFiles = record.state !== 'created';
  }

  get id(): string {
    return this.record.id;
  }

  get state(): ContainerState {
    return this.record.state;
  }

  /** Goes through `transition`. Error: Docker's words for one that is illegal in this state. */
  move(transition: Transition, target: string = this.id): void {
    const next = nextState(this.record.state, transition);
    if (next === null) throw refusal(this.record.state, transition, { id: this.id, target });
    this.record.state = next;
  }

  /** Refuses like `move`, without moving. */
  check(transition: Transition, target: string = this.id): void {
    if (nextState(this.record.state, transition) === null)
      throw refusal(this.record.state, transition, { id: this.id, target });
  }

  /** Calls back once, at the next exit. Gives the function that forgets it. */
  onceExited(callback: (notice: ExitNotice) => void): () => void {
    this.#exitWaiters.add(callback);
    return () => this.#exitWaiters.delete(callback);
  }

  /** Calls back once, when the container is gone. */
  onceRemoved(callback: (notice: ExitNotice) => void): () => void {
    this.#removalWaiters.add(callback);
    return () => this.#removalWaiters.delete(callback);
  }

  tellExit(notice: ExitNotice): void {
    const waiters = [...this.#exitWaiters];
    this.#exitWaiters.clear();
    for (const waiter of waiters) waiter(notice);
  }

  tellRemoval(notice: ExitNotice): void {
    const waiters = [...this.#removalWaiters];
    this.#removalWaiters.clear();
    for (const waiter of waiters) waiter(notice);
  }

  /** The next exit, as a promise. */
  nextExit(): Promise<ExitNotice> {
    const { promise, resolve } = Promise.withResolvers<ExitNotice>();
    this.onceExited(resolve);
    return promise;
  }

  /** Those who wait for the start now; who comes later waits for what follows. */
  takePending(): PendingAttachment[] {
    return this.pending.splice(0);
  }

  /** Tells everybody who waits that there will be no stream. */
  dismissPending(): void {
    for (const attachment of this.takePending()) attachment.connect(null);
  }
}

/** The wait before the next automatic start. */
export interface RestartClock {
  timer: ReturnType<typeof setTimeout> | null;
  /** Milliseconds of the last wait; 0: none yet. */
  delay: number;
}
