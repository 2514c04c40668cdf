import { randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { BerthError } from '../../api/errors.ts';
import type { ExecCreateRequest, ExecCreateResponse, ExecInspect } from '../../api/types/exec.ts';
import { DeferredDuplex } from '../../base/deferred-duplex.ts';
import { failpoint } from '../../base/failpoint.ts';
import { killTree } from '../../host/process/kill-tree.ts';
import { startFailureExitCode } from '../../supervisor/runtime-errors.ts';
import { parseDetachKeys } from '../../wire/detach-keys.ts';
import type { Container } from '../containers/container.ts';
import type { ContainerContext, LifeObserver } from '../containers/context.ts';
import { execProcess } from './exec-process.ts';

export interface ExecStartOptions {
  detach: boolean;
  terminal: boolean;
  size: { rows: number; columns: number } | null;
}

/** One command in a running container. Execs live in memory: with the container or the engine they are gone. */
interface Exec {
  id: string;
  container: Container;
  request: ExecCreateRequest;
  state: 'created' | 'running' | 'exited';
  exitCode: number | null;
  pid: number;
  /** Milliseconds of the epoch; 0: not ended. */
  endedAt: number;
  /** The terminal's, as a client told it last; null: not told. */
  size: { rows: number; columns: number } | null;
}

/** A finished exec can be asked about for this long, as with dockerd. */
const keptMilliseconds = 5 * 60_000;
/** … but not more than so many, so that a busy health check or script costs no memory. */
const keptFinished = 1000;

/** `docker exec`: create, start, resize, inspect. */
export class ExecService implements LifeObserver {
  readonly #context: ContainerContext;
  readonly #execs = new Map<string, Exec>();
  #finished = 0;

  constructor(context: ContainerContext) {
    this.#context = context;
    context.observers.push(this);
  }

  /** Errors: `not-found`, `conflict` for a container that does not run or is paused, `invalid` without a command or for an unknown user. */
  async create(reference: string, request: ExecCreateRequest): Promise<ExecCreateResponse> {
    const container = this.#context.index.find(reference);
    requireRunning(container, reference);
    if (!request.Cmd || request.Cmd.length === 0) throw new BerthError('invalid', 'No exec command specified');
    parseDetachKeys(request.DetachKeys);
    // Looked up once more at the start; here only so that a wrong name is told before anything is hijacked.
    if (request.User !== '') await execProcess(this.#context, container, request);
    this.#prune();
    this.#context.dependencies.supervisor.prepareStart();
    const id = randomBytes(32).toString('hex');
    this.#execs.set(id, { id, container, request, state: 'created', exitCode: null, pid: 0, endedAt: 0, size: null });
    container.execs.add(id);
    this.#publish({ container, request, id }, 'exec_create');
    return { Id: id };
  }

  /** What would stop it from being started. Errors: `not-found`, `conflict`. */
  check(execId: string): void {
    const exec = this.#find(execId);
    if (exec.state === 'exited') throw new BerthError('conflict', `exec command ${exec.id} has already run`);
    if (exec.state === 'running') throw new BerthError('conflict', `exec command ${exec.id} is already running`);
    requireRunning(exec.container, exec.container.id);
  }

  /**
   * Runs it. Gives its streams, or null where it was started detached. The exit code is there before the stream ends.
   * Error: the runtime's, in dockerd's words; the exit code is 126 or 127 then.
   */
  async start(
    execId: string,
    options: ExecStartOptions,
  ): Promise<{ stream: Duplex; terminal: boolean; detached(): void } | null> {
    this.check(execId);
    const exec = this.#find(execId);
    const { container, request } = exec;
    exec.state = 'running';
    const size = exec.size ?? options.size ?? sizeOf(request.ConsoleSize);
    this.#publish(exec, 'exec_start');
    try {
      const process = await execProcess(this.#context, container, request);
      if (!process.cwd.startsWith('/'))
        throw new BerthError('internal', 'OCI runtime exec failed: exec failed: Cwd must be an absolute path');
      await failpoint('exec.before-start');
      const started = await this.#context.dependencies.supervisor.exec(container.id, {
        execId,
        process,
        terminal: request.Tty,
        size,
        attach: options.detach
          ? null
          : { stdin: request.AttachStdin, stdout: request.AttachStdout, stderr: request.AttachStderr },
      });
      await failpoint('exec.after-start');
      exec.pid = started.pid;
      // A size that was told while it started.
      if (exec.size && exec.size !== size) await this.resize(execId, exec.size).catch(() => undefined);
      const ended = started.exit.then(
        ({ code }) => this.#ended(exec, code),
        // The shim went away with the container.
        () => this.#ended(exec, 137),
      );
      if (!started.stream) return null;
      const stream = new DeferredDuplex();
      stream.connect(started.stream, ended);
      return { stream, terminal: request.Tty, detached: () => this.#publish(exec, 'exec_detach') };
    } catch (error) {
      this.#ended(exec, startFailureExitCode(error));
      throw error;
    }
  }

  inspect(execId: string): ExecInspect {
    const { id, container, request, state, exitCode, pid } = this.#find(execId);
    const [entrypoint = '', ...words] = request.Cmd ?? [];
    return {
      ID: id,
      Running: state === 'running',
      ExitCode: exitCode,
      ProcessConfig: {
        tty: request.Tty,
        entrypoint,
        arguments: words,
        privileged: request.Privileged,
        ...(request.User !== '' && { user: request.User }),
      },
      OpenStdin: request.AttachStdin,
      OpenStderr: request.AttachStderr,
      OpenStdout: request.AttachStdout,
      CanRemove: false,
      ContainerID: container.id,
      DetachKeys: request.DetachKeys,
      Pid: pid,
    };
  }

  /** Before the start, and while it goes on, the size is remembered: docker 20.10 tells it once, as it starts the command. */
  async resize(execId: string, size: { rows: number; columns: number }): Promise<void> {
    const exec = this.#find(execId);
    if (exec.state === 'exited') throw new BerthError('conflict', `exec process ${exec.id} is not running`);
    exec.size = size;
    if (exec.pid === 0) return;
    await this.#context.dependencies.supervisor.resize(exec.container.id, exec.id, size);
  }

  /** Ends it and all that it has started; nothing to do where it has ended. Error: `not-found`. */
  async kill(execId: string): Promise<void> {
    const { pid, state } = this.#find(execId);
    if (state === 'running' && pid > 0) await killTree(pid);
  }

  #find(execId: string): Exec {
    const exec = this.#execs.get(execId);
    if (!exec) throw new BerthError('not-found', `No such exec instance: ${execId}`);
    return exec;
  }

  #ended(exec: Exec, code: number): void {
    if (exec.state === 'exited') return;
    exec.state = 'exited';
    exec.exitCode = code;
    exec.endedAt = Date.now();
    exec.container.execs.delete(exec.id);
    this.#finished++;
    this.#publish(exec, 'exec_die', { exitCode: String(code) });
  }

  /**
   * A container that ended takes along what was never started. What ran ends by itself, with the exit code that the shim has for it or
   * without, and can still be asked about: a client that ran the last command of a container wants to know how it went.
   */
  ended(container: Container): void {
    for (const exec of this.#execs.values())
      if (exec.container === container && exec.state === 'created') this.#drop(exec.id);
  }

  #prune(): void {
    const oldest = Date.now() - keptMilliseconds;
    // In the order of creation, so the first that is young and in number ends the search.
    for (const exec of this.#execs.values()) {
      if (exec.state !== 'exited') continue;
      if (this.#finished <= keptFinished && exec.endedAt > oldest) return;
      this.#drop(exec.id);
    }
  }

  #drop(id: string): void {
    const exec = this.#execs.get(id);
    if (!exec) return;
    if (exec.state === 'exited') this.#finished--;
    this.#execs.delete(id);
    exec.container.execs.delete(id);
  }

  #publish(exec: Pick<Exec, 'container' | 'request' | 'id'>, action: string, extra: Record<string, string> = {}): void {
    const shown =
      action === 'exec_create' || action === 'exec_start' ? `${action}: ${commandText(exec.request.Cmd)}` : action;
    this.#context.publish(exec.container, shown, { execID: exec.id, ...extra });
  }
}

/** @param reference how the client named the container */
function requireRunning(container: Container, reference: string): void {
  switch (container.state) {
    case 'running':
      return;
    case 'paused':
      throw new BerthError('conflict', `Container ${reference} is paused, unpause the container before exec`);
    case 'restarting':
      throw new BerthError('conflict', `Container ${reference} is restarting, wait until the container is running`);
    default:
      throw new BerthError('conflict', `container ${container.id} is not running`);
  }
}

/** As Docker puts it into the name of an event: a blank follows the program, arguments or not. */
function commandText(words: string[] | null): string {
  const [program = '', ...rest] = words ?? [];
  return `${program} ${rest.join(' ')}`;
}

/** Rows before columns, as Docker writes them. */
function sizeOf(size: [number, number] | null): { rows: number; columns: number } | null {
  return size === null ? null : { rows: size[0], columns: size[1] };
}
