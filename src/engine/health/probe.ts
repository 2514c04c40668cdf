import type { Readable } from 'node:stream';
import { errorMessage } from '../../api/errors.ts';
import type { HealthcheckResult } from '../../api/types/container.ts';
import type { ExecCreateRequest, ExecCreateResponse, ExecInspect } from '../../api/types/exec.ts';
import type { Semaphore } from '../../base/semaphore.ts';
import { formatDuration } from '../../wire/time.ts';
import { timestamp } from '../containers/clock.ts';
import { ProbeOutput } from './probe-output.ts';
import type { ProbePlan } from './probe-plan.ts';

/** What a probe needs of exec. */
export interface ProbeExec {
  create(container: string, request: ExecCreateRequest): Promise<ExecCreateResponse>;
  start(
    execId: string,
    options: { detach: boolean; terminal: boolean; size: null },
  ): Promise<{ stream: Readable } | null>;
  inspect(execId: string): ExecInspect;
  kill(execId: string): Promise<void>;
}

export interface ProbeOptions {
  plan: ProbePlan;
  /** Ends the probe. */
  signal: AbortSignal;
  /** Lets in as many as may be started at a time. */
  turns: Semaphore;
}

const failed = -1;
const nanosecondsPerMillisecond = 1_000_000;

/** So long a killed probe's end is waited for, in milliseconds: a frozen container's comes when it goes on. */
const endOfKilled = 5_000;

/**
 * Runs the check once. What goes wrong is a result too, with exit code −1, as with Docker.
 */
export async function runProbe(exec: ProbeExec, container: string, options: ProbeOptions): Promise<HealthcheckResult> {
  const Start = timestamp();
  const result = await probe(exec, container, options).catch((error: unknown) => ({
    ExitCode: failed,
    Output: errorMessage(error),
  }));
  return { Start, End: timestamp(), ...result };
}

async function probe(
  exec: ProbeExec,
  container: string,
  { plan, signal, turns }: ProbeOptions,
): Promise<Pick<HealthcheckResult, 'ExitCode' | 'Output'>> {
  const { Id, stream } = await inTurn(turns, signal, () => begin(exec, container, plan));
  const output = new ProbeOutput();
  const ended = drain(stream, output);
  // The time that the engine took to start it is not the probe's.
  const isLate = await lasts(ended, plan.timeout, signal);
  if (isLate) {
    await exec.kill(Id);
    await lasts(ended, endOfKilled, signal);
    stream.destroy();
    const said = output.text;
    const words = `Health check exceeded timeout (${formatDuration(BigInt(Math.round(plan.timeout * nanosecondsPerMillisecond)))})`;
    return { ExitCode: failed, Output: said === '' ? words : `${words}: ${said}` };
  }
  const { ExitCode } = exec.inspect(Id);
  if (ExitCode === null) throw new Error(`healthcheck for container ${container} has no exit code`);
  return { ExitCode, Output: output.text };
}

async function begin(exec: ProbeExec, container: string, plan: ProbePlan): Promise<{ Id: string; stream: Readable }> {
  const { Id } = await exec.create(container, requestOf(plan.command));
  const started = await exec.start(Id, { detach: false, terminal: false, size: null });
  if (!started) throw new Error('the probe has no output');
  return { Id, stream: started.stream };
}

async function inTurn<T>(turns: Semaphore, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  const leave = await turns.acquire(signal);
  try {
    return await work();
  } finally {
    leave();
  }
}

/** Reads to the end; how it ends is the exit code's to tell. */
async function drain(stream: Readable, output: ProbeOutput): Promise<void> {
  try {
    for await (const chunk of stream) output.push(chunk as Uint8Array);
  } catch {
    // The container went away, or the probe was killed: the exec's exit code says so.
  }
}

/** True when `work` goes on after so many milliseconds, or when nobody waits for it any more. */
async function lasts(work: Promise<void>, limit: number, signal: AbortSignal): Promise<boolean> {
  const late = Promise.withResolvers<boolean>();
  const tell = (): void => late.resolve(true);
  const timer = setTimeout(tell, limit);
  if (signal.aborted) tell();
  else signal.addEventListener('abort', tell, { once: true });
  try {
    return await Promise.race([work.then(() => false), late.promise]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', tell);
  }
}

function requestOf(command: string[]): ExecCreateRequest {
  return {
    User: '',
    Privileged: false,
    Tty: false,
    ConsoleSize: null,
    AttachStdin: false,
    AttachStdout: true,
    AttachStderr: true,
    DetachKeys: '',
    Env: null,
    WorkingDir: '',
    Cmd: command,
  };
}
