/**
 * A supervisor without processes for the engine's unit tests: it records what it is asked and behaves as told. The contract
 * suite (test/contract) holds it to what the real one does.
 */
import { Duplex } from 'node:stream';
import { BerthError } from '../api/errors.ts';
import { encodeFrame } from '../wire/stdcopy.ts';
import { commandNotFound } from './runtime-errors.ts';
import type {
  Adoption,
  AttachRequest,
  ExecSpec,
  ExitStatus,
  ShimSpec,
  StartedContainer,
  StartedExec,
  Supervisor,
  SupervisorEvents,
} from './types.ts';

/** What a container or exec does. `wait`: runs until a signal; `cat`: copies stdin to stdout and ends with it. */
export type FakeBehaviour =
  | { kind: 'wait' }
  | { kind: 'cat' }
  | { kind: 'exit'; code: number; stdout?: string; stderr?: string }
  | { kind: 'refused'; error: BerthError };

/** One call, in the order of the calls. */
export type SupervisorCall =
  | { method: 'start'; spec: ShimSpec }
  | { method: 'adopt'; containerId: string; directory: string }
  | { method: 'attach'; containerId: string; request: AttachRequest }
  | { method: 'resize'; containerId: string; execId: string | null; size: { rows: number; columns: number } }
  | { method: 'exec'; containerId: string; spec: ExecSpec }
  | { method: 'signal'; containerId: string; execId: string | null; signal: number }
  | { method: 'truncateLog'; containerId: string }
  | { method: 'abandon'; containerId: string }
  | { method: 'endCgroup'; cgroupPath: string }
  | { method: 'cleanUp'; containerId: string; directory: string };

/** A process that only has streams. */
class FakeProcess {
  readonly streams: FakeStream[] = [];
  readonly terminal: boolean;
  readonly exit = Promise.withResolvers<ExitStatus>();
  status: ExitStatus | null = null;
  readonly #behaviour: FakeBehaviour;

  constructor(behaviour: FakeBehaviour, terminal: boolean) {
    this.#behaviour = behaviour;
    this.terminal = terminal;
  }

  attach(request: AttachRequest): FakeStream {
    const stream = new FakeStream(request, {
      onInput: (data) => {
        if (this.#behaviour.kind === 'cat' && request.stdin) this.write(1, data);
      },
      onInputEnd: () => {
        if (this.#behaviour.kind === 'cat' && request.stdin)
          this.end({ code: 0, oomKilled: false, exitedAt: new Date() });
      },
    });
    this.streams.push(stream);
    return stream;
  }

  /** Lets the behaviour begin. */
  run(): void {
    if (this.#behaviour.kind !== 'exit') return;
    const { code, stdout, stderr } = this.#behaviour;
    if (stdout) this.write(1, Buffer.from(stdout));
    if (stderr) this.write(2, Buffer.from(stderr));
    this.end({ code, oomKilled: false, exitedAt: new Date() });
  }

  write(stream: 1 | 2, data: Buffer): void {
    for (const client of this.streams) {
      if (stream === 1 ? client.request.stdout : client.request.stderr) {
        client.push(this.terminal ? data : encodeFrame(stream, data));
      }
    }
  }

  end(status: ExitStatus): void {
    if (this.status) return;
    this.status = status;
    for (const client of this.streams) client.push(null);
    this.exit.resolve(status);
  }
}

class FakeStream extends Duplex {
  readonly request: AttachRequest;
  readonly #handlers: { onInput(data: Buffer): void; onInputEnd(): void };

  constructor(request: AttachRequest, handlers: { onInput(data: Buffer): void; onInputEnd(): void }) {
    super({ allowHalfOpen: true });
    this.request = request;
    this.#handlers = handlers;
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#handlers.onInput(chunk);
    done();
  }

  override _final(done: () => void): void {
    this.#handlers.onInputEnd();
    done();
  }
}

export class FakeSupervisor implements Supervisor {
  readonly calls: SupervisorCall[] = [];
  readonly #events: SupervisorEvents;
  readonly #behaviours = new Map<string, FakeBehaviour>();
  readonly #containers = new Map<string, FakeProcess>();
  readonly #execs = new Map<string, FakeProcess>();
  #lastPid = 1000;

  constructor(events: SupervisorEvents) {
    this.#events = events;
  }

  /** What the container or exec with this id will do; `wait` where nothing was said. */
  plan(id: string, behaviour: FakeBehaviour): void {
    this.#behaviours.set(id, behaviour);
  }

  /** The container ends by itself. */
  exit(containerId: string, status: Partial<ExitStatus> = {}): void {
    this.#containers.get(containerId)?.end({ code: 0, oomKilled: false, exitedAt: new Date(), ...status });
  }

  outOfMemory(containerId: string): void {
    this.#events.onOutOfMemory(containerId);
  }

  /** Output of the container. */
  output(containerId: string, stream: 1 | 2, text: string): void {
    this.#containers.get(containerId)?.write(stream, Buffer.from(text));
  }

  prepareStart(): void {}

  async start(spec: ShimSpec): Promise<StartedContainer> {
    this.calls.push({ method: 'start', spec });
    const behaviour = this.#behaviours.get(spec.id) ?? { kind: 'wait' };
    if (behaviour.kind === 'refused') throw behaviour.error;
    const process = new FakeProcess(behaviour, spec.terminal);
    this.#containers.set(spec.id, process);
    const attachments = spec.attachments.map((request) => process.attach(request));
    process.exit.promise.then((status) => {
      for (const exec of this.#execs.values()) exec.end({ ...status, code: 137 });
      this.#events.onExit(spec.id, status);
    });
    setImmediate(() => process.run());
    return { pid: ++this.#lastPid, startedAt: new Date(), attachments };
  }

  async adopt(containerId: string, directory: string): Promise<Adoption> {
    this.calls.push({ method: 'adopt', containerId, directory });
    const process = this.#containers.get(containerId);
    if (!process) return { state: 'gone' };
    if (process.status) return { state: 'exited', status: process.status };
    return { state: 'running', pid: this.#lastPid, startedAt: new Date() };
  }

  async attach(containerId: string, request: AttachRequest): Promise<Duplex> {
    this.calls.push({ method: 'attach', containerId, request });
    return this.#running(containerId).attach(request);
  }

  async resize(containerId: string, execId: string | null, size: { rows: number; columns: number }): Promise<void> {
    this.calls.push({ method: 'resize', containerId, execId, size });
    this.#target(containerId, execId);
  }

  async exec(containerId: string, spec: ExecSpec): Promise<StartedExec> {
    this.calls.push({ method: 'exec', containerId, spec });
    this.#running(containerId);
    const behaviour = this.#behaviours.get(spec.execId) ?? { kind: 'wait' };
    if (behaviour.kind === 'refused') throw behaviour.error;
    const process = new FakeProcess(behaviour, spec.terminal);
    this.#execs.set(spec.execId, process);
    const stream = spec.attach === null ? null : process.attach(spec.attach);
    setImmediate(() => process.run());
    return { pid: ++this.#lastPid, stream, exit: process.exit.promise };
  }

  async signal(containerId: string, execId: string | null, signal: number): Promise<void> {
    this.calls.push({ method: 'signal', containerId, execId, signal });
    if (signal === 0) return;
    this.#target(containerId, execId).end({ code: 128 + signal, oomKilled: false, exitedAt: new Date() });
  }

  async abandon(containerId: string): Promise<void> {
    this.calls.push({ method: 'abandon', containerId });
    this.#containers.get(containerId)?.end({ code: 137, oomKilled: false, exitedAt: new Date() });
  }

  async truncateLog(containerId: string): Promise<void> {
    this.calls.push({ method: 'truncateLog', containerId });
    this.#running(containerId);
  }

  async cleanUp(containerId: string, directory: string): Promise<void> {
    this.calls.push({ method: 'cleanUp', containerId, directory });
    this.#containers.delete(containerId);
  }

  async endCgroup(cgroupPath: string): Promise<void> {
    this.calls.push({ method: 'endCgroup', cgroupPath });
  }

  close(): void {}

  #running(containerId: string): FakeProcess {
    const process = this.#containers.get(containerId);
    if (!process || process.status) throw new BerthError('not-found', `container ${containerId} is not running`);
    return process;
  }

  #target(containerId: string, execId: string | null): FakeProcess {
    const container = this.#running(containerId);
    const process = execId === null ? container : this.#execs.get(execId);
    if (!process || process.status) throw new BerthError('not-found', 'No such process');
    return process;
  }
}

/** The error of a command that does not exist, for `{ kind: 'refused' }`. */
export function commandNotFoundError(command: string): BerthError {
  return new BerthError('invalid', `exec: ${JSON.stringify(command)}: executable file not found in $PATH`, {
    code: commandNotFound,
  });
}
