/** The supervisor that starts real shims. */
import { spawn } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { BerthError } from '../api/errors.ts';
import { failpoint } from '../base/failpoint.ts';
import { sigkill } from '../wire/signals.ts';
import { endByForce, inTime, runningPid } from './force.ts';
import { LiveContainer, type StartOutcome } from './live-container.ts';
import { protocol } from './protocol.ts';
import { runtimeError } from './runtime-errors.ts';
import { shimConfig } from './shim-config.ts';
import { openAttach } from './shim-connection.ts';
import { ShimLauncher } from './shim-launcher.ts';
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

export interface ShimSupervisorOptions {
  /** Path of the shim program, see shim-binary.ts. */
  shim: string;
  events: SupervisorEvents;
}

export class ShimSupervisor implements Supervisor {
  readonly #shim: string;
  readonly #events: SupervisorEvents;
  readonly #launcher: ShimLauncher;
  readonly #live = new Map<string, LiveContainer>();

  constructor(options: ShimSupervisorOptions) {
    this.#shim = options.shim;
    this.#events = options.events;
    this.#launcher = new ShimLauncher(options.shim);
  }

  prepareStart(): void {
    this.#launcher.warmUp();
  }

  async start(spec: ShimSpec): Promise<StartedContainer> {
    await writeFile(join(spec.directory, 'shim.conf'), shimConfig(spec), { mode: 0o600 });
    try {
      await this.#launcher.launch(spec.directory);
      await failpoint('run.after-launch');
    } catch (error) {
      // A shim that nobody asks for anything would wait for a while.
      await endByForce(spec.directory);
      await this.cleanUp(spec.id, spec.directory);
      throw error;
    }
    const live = this.#open(spec.id, spec.directory, true);
    const attachments = spec.attachments.map((request) => openAttach(spec.directory, request, true));
    const outcome = await live.started;
    if (outcome.type === 'started') return { pid: outcome.pid, startedAt: outcome.startedAt, attachments };
    for (const attachment of attachments) attachment.destroy();
    const error = await this.#startFailure(spec, outcome);
    await this.cleanUp(spec.id, spec.directory);
    throw error;
  }

  async adopt(containerId: string, directory: string): Promise<Adoption> {
    const live = this.#open(containerId, directory, false);
    const outcome = (await inTime(live.started)) ?? (await this.#withoutAnswer(live));
    if (outcome.type === 'started' && !live.exitStatus) {
      return { state: 'running', pid: outcome.pid, startedAt: outcome.startedAt };
    }
    const status = live.exitStatus ?? (await readExitFile(directory));
    if (status) return { state: 'exited', status };
    this.#forget(live);
    return { state: 'gone' };
  }

  /** A shim that is there and says nothing: its container goes on if it has begun; what it will say is heard. */
  async #withoutAnswer(live: LiveContainer): Promise<StartOutcome> {
    const pid = await runningPid(live.directory);
    if (pid !== null) return live.assumeStarted(pid);
    await endByForce(live.directory);
    return live.started;
  }

  async abandon(containerId: string): Promise<void> {
    const live = this.#live.get(containerId);
    if (live) await endByForce(live.directory);
  }

  async attach(containerId: string, request: AttachRequest): Promise<Duplex> {
    return openAttach(this.#running(containerId).directory, request, false);
  }

  async resize(containerId: string, execId: string | null, size: { rows: number; columns: number }): Promise<void> {
    await this.#running(containerId).resize(execId, size);
  }

  async exec(containerId: string, spec: ExecSpec): Promise<StartedExec> {
    return this.#running(containerId).exec(spec);
  }

  async signal(containerId: string, execId: string | null, signal: number): Promise<void> {
    const live = this.#running(containerId);
    const told = live.signal(execId, signal).then(() => true);
    if (execId !== null || (await inTime(told))) return told.then(() => {});
    told.catch(() => undefined); // it may still answer, with the end of its process
    const pid = await runningPid(live.directory);
    if (signal === sigkill) await endByForce(live.directory);
    else if (pid !== null) process.kill(pid, signal);
  }

  async truncateLog(containerId: string): Promise<void> {
    await this.#running(containerId).truncateLog();
  }

  async cleanUp(containerId: string, directory: string): Promise<void> {
    const live = this.#live.get(containerId);
    const cleaned = live !== undefined && (await live.cleaned);
    if (live) this.#forget(live);
    // A shim that was killed could not clean up: its program is run again, for that alone.
    if (!cleaned) await this.#runClean(directory);
    await rm(directory, { recursive: true, force: true });
  }

  async endCgroup(cgroupPath: string): Promise<void> {
    await this.#runShim(['end-cgroup', cgroupPath], '/');
  }

  close(): void {
    for (const live of this.#live.values()) live.close();
    this.#live.clear();
    this.#launcher.close();
  }

  #open(containerId: string, directory: string, starts: boolean): LiveContainer {
    const live = new LiveContainer(directory, starts, {
      onExit: (status) => this.#events.onExit(containerId, status),
      onOutOfMemory: () => this.#events.onOutOfMemory(containerId),
      onLost: () => void this.#lost(containerId, live),
    });
    this.#live.set(containerId, live);
    return live;
  }

  /** The connection to a running container's shim broke: a shim that still answers is adopted again. */
  async #lost(containerId: string, live: LiveContainer): Promise<void> {
    if (this.#live.get(containerId) !== live) return;
    const adoption = await this.adopt(containerId, live.directory);
    if (adoption.state === 'running') return;
    const current = this.#live.get(containerId) ?? live;
    // Without its shim a container cannot be supervised: it is ended before it is called exited.
    if (adoption.state === 'gone') await this.#runClean(live.directory);
    const status =
      adoption.state === 'exited' ? adoption.status : { code: 137, oomKilled: false, exitedAt: new Date() };
    if (current.markExited(status)) this.#events.onExit(containerId, status);
  }

  #running(containerId: string): LiveContainer {
    const live = this.#live.get(containerId);
    if (!live || live.exitStatus) throw new BerthError('not-found', `container ${containerId} is not running`);
    return live;
  }

  #forget(live: LiveContainer): void {
    for (const [id, candidate] of this.#live) if (candidate === live) this.#live.delete(id);
    live.close();
  }

  async #startFailure(spec: ShimSpec, outcome: { stage: number; message: string }): Promise<BerthError> {
    if (outcome.stage === protocol.stageRuntime) {
      return runtimeError(outcome.message, await readProcess(spec.directory), 'create');
    }
    const prefix =
      outcome.stage === protocol.stageNetwork
        ? 'failed to set up container networking: '
        : 'failed to create task for container: failed to create shim task: ';
    return new BerthError('internal', prefix + outcome.message, { code: 'start-failed' });
  }

  /** Where the directory is gone, or none, there is nothing in it to clean. */
  async #runClean(directory: string): Promise<void> {
    await this.#runShim(['clean'], directory).catch(() => undefined);
  }

  async #runShim(words: string[], directory: string): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const child = spawn(this.#shim, words, { cwd: directory, stdio: 'ignore' });
    child.on('error', reject);
    child.on('exit', () => resolve());
    await promise;
  }
}

/** `exit`: "code oom seconds nanoseconds". Null: there is none. */
async function readExitFile(directory: string): Promise<ExitStatus | null> {
  const text = await readFile(join(directory, 'exit'), 'utf8').catch(() => null);
  const match = text === null ? null : /^(\d+) (\d) (\d+) (\d+)\n$/.exec(text);
  if (!match) return null;
  const [, code, outOfMemory, seconds, nanoseconds] = match.map(Number) as [number, number, number, number, number];
  return { code, oomKilled: outOfMemory === 1, exitedAt: new Date(seconds * 1000 + Math.floor(nanoseconds / 1e6)) };
}

/** Command and working directory from the bundle, for the words of an error. */
async function readProcess(directory: string): Promise<{ command: string; directory: string }> {
  const text = await readFile(join(directory, 'config.json'), 'utf8').catch(() => '{}');
  const config = JSON.parse(text) as { process?: { args?: string[]; cwd?: string } };
  return { command: config.process?.args?.[0] ?? '', directory: config.process?.cwd ?? '/' };
}
