/** One container with a living shim, as its control connection tells it. */
import { stat } from 'node:fs/promises';
import { BerthError } from '../api/errors.ts';
import { stringifyJson } from '../wire/json.ts';
import { encodeId } from './frames.ts';
import { protocol } from './protocol.ts';
import { runtimeError } from './runtime-errors.ts';
import { openExec, ShimConnection, type ShimNotice } from './shim-connection.ts';
import type { ExecSpec, ExitStatus, StartedExec } from './types.ts';

export interface LiveContainerEvents {
  onExit(status: ExitStatus): void;
  onOutOfMemory(): void;
  /** The connection broke while the container ran. */
  onLost(): void;
}

export type StartOutcome =
  | { type: 'started'; pid: number; startedAt: Date }
  | { type: 'failed'; stage: number; message: string };

interface PendingExec {
  started: PromiseWithResolvers<number>;
  exit: PromiseWithResolvers<ExitStatus>;
  isStarted: boolean;
}

export class LiveContainer {
  readonly directory: string;
  readonly #connection: ShimConnection;
  readonly #events: LiveContainerEvents;
  readonly #started = Promise.withResolvers<StartOutcome>();
  readonly #cleaned = Promise.withResolvers<boolean>();
  readonly #execs = new Map<string, PendingExec>();
  #state: 'starting' | 'running' | 'over' = 'starting';
  #exitStatus: ExitStatus | null = null;
  #closed = false;
  /** Notices that wait until the caller of start has seen that the container runs. */
  #held: ShimNotice[] | null = null;

  /** @param starts true where this engine starts the container, false where it adopts it */
  constructor(directory: string, starts: boolean, events: LiveContainerEvents) {
    this.directory = directory;
    this.#events = events;
    this.#connection = new ShimConnection(directory, starts, (notice) => this.#receive(notice));
  }

  /** Settles when the shim has started the container or failed to. */
  get started(): Promise<StartOutcome> {
    return this.#started.promise;
  }

  /** Settles when the shim has removed the kernel's objects (true) or is gone (false). */
  get cleaned(): Promise<boolean> {
    return this.#cleaned.promise;
  }

  get exitStatus(): ExitStatus | null {
    return this.#exitStatus;
  }

  /** A shim that does not answer is taken for one that runs its container; whatever it says later is believed. */
  async assumeStarted(pid: number): Promise<StartOutcome> {
    if (this.#state === 'starting') {
      this.#state = 'running';
      const { mtime } = await stat(`/proc/${pid}`);
      this.#started.resolve({ type: 'started', pid, startedAt: mtime });
    }
    return this.#started.promise;
  }

  /** Records an exit that the connection did not tell; false: it was known. */
  markExited(status: ExitStatus): boolean {
    if (this.#exitStatus) return false;
    this.#exitStatus = status;
    return true;
  }

  close(): void {
    this.#closed = true;
    this.#connection.destroy();
  }

  async signal(execId: string | null, signal: number): Promise<void> {
    const number = Buffer.alloc(4);
    number.writeUInt32LE(signal, 0);
    await this.#connection.request(protocol.signal, Buffer.concat([encodeId(execId), number]));
  }

  async resize(execId: string | null, size: { rows: number; columns: number }): Promise<void> {
    const numbers = Buffer.alloc(4);
    numbers.writeUInt16LE(size.rows & 0xffff, 0);
    numbers.writeUInt16LE(size.columns & 0xffff, 2);
    await this.#connection.request(protocol.resize, Buffer.concat([encodeId(execId), numbers]));
  }

  async truncateLog(): Promise<void> {
    await this.#connection.request(protocol.truncateLog, Buffer.alloc(0));
  }

  async exec(spec: ExecSpec): Promise<StartedExec> {
    const pending: PendingExec = {
      started: Promise.withResolvers<number>(),
      exit: Promise.withResolvers<ExitStatus>(),
      isStarted: false,
    };
    this.#execs.set(spec.execId, pending);
    const socket = openExec(this.directory, {
      execId: spec.execId,
      attach: spec.attach,
      terminal: spec.terminal,
      rows: spec.size?.rows ?? 0,
      columns: spec.size?.columns ?? 0,
      process: stringifyJson(withConsoleSize(spec)),
    });
    try {
      const pid = await pending.started.promise;
      if (spec.attach === null) socket.destroy();
      return { pid, stream: spec.attach === null ? null : socket, exit: pending.exit.promise };
    } catch (error) {
      socket.destroy();
      if (typeof error !== 'string') throw error;
      throw runtimeError(error, processOf(spec), 'exec');
    }
  }

  #receive(notice: ShimNotice): void {
    if (this.#held) {
      this.#held.push(notice);
      return;
    }
    switch (notice.type) {
      case 'started':
        if (this.#state !== 'starting') return;
        this.#state = 'running';
        this.#started.resolve(notice);
        this.#hold();
        return;
      case 'failed':
        this.#state = 'over';
        this.#started.resolve(notice);
        return;
      case 'exited':
        this.#state = 'over';
        if (this.markExited(notice.status)) this.#events.onExit(notice.status);
        return;
      case 'out-of-memory':
        this.#events.onOutOfMemory();
        return;
      case 'cleaned':
        this.#cleaned.resolve(true);
        return;
      case 'closed':
        this.#connectionClosed();
        return;
      default:
        this.#receiveExec(notice);
    }
  }

  /** What comes in the same breath as the start is told in the next turn of the loop, after `start` has returned. */
  #hold(): void {
    this.#held = [];
    setImmediate(() => {
      const held = this.#held ?? [];
      this.#held = null;
      for (const notice of held) this.#receive(notice);
    });
  }

  #receiveExec(notice: Extract<ShimNotice, { execId: string }>): void {
    const exec = this.#execs.get(notice.execId);
    if (!exec) return; // an exec of an engine that died
    if (notice.type === 'exec-started') {
      exec.isStarted = true;
      exec.started.resolve(notice.pid);
      return;
    }
    this.#execs.delete(notice.execId);
    if (notice.type === 'exec-failed') exec.started.reject(notice.message);
    else exec.exit.resolve({ code: notice.code, oomKilled: false, exitedAt: notice.exitedAt });
  }

  #connectionClosed(): void {
    for (const exec of this.#execs.values()) {
      if (exec.isStarted) exec.exit.resolve({ code: 137, oomKilled: false, exitedAt: new Date() });
      else exec.started.reject(new BerthError('conflict', 'the container stopped before the exec was started'));
    }
    this.#execs.clear();
    this.#started.resolve({ type: 'failed', stage: protocol.stageSetup, message: 'the shim ended' });
    this.#cleaned.resolve(false);
    const lost = this.#state === 'running' && !this.#closed;
    this.#state = 'over';
    if (lost) this.#events.onLost();
  }
}

/** The runtime sets the size before the process can ask for it; the shim would come too late. */
function withConsoleSize(spec: ExecSpec): unknown {
  if (!spec.terminal || !spec.size) return spec.process;
  return { ...(spec.process as object), consoleSize: { height: spec.size.rows, width: spec.size.columns } };
}

function processOf(spec: ExecSpec): { command: string; directory: string } {
  const process = spec.process as { args?: string[]; cwd?: string };
  return { command: process.args?.[0] ?? '', directory: process.cwd ?? '/' };
}
