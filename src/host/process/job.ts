/**
 * Bulk work in a child: `berth --job <name> <arguments as JSON>` (src/programs/job.ts). The child says what it has to say as JSON
 * lines on standard output, or streams bytes there; it ends with a `JobError` line on standard error when it fails.
 */
import { spawn } from 'node:child_process';
import { Readable } from 'node:stream';
import { BerthError, type ErrorKind } from '../../api/errors.ts';
import { selfCommand } from './self.ts';

/** The last line of standard error of a job that failed. */
export interface JobError {
  kind: ErrorKind;
  message: string;
  /** A `BerthError`'s. */
  code?: string;
}

export interface JobOptions {
  /** Becomes standard input, with back-pressure. Without it the input stays open and empty until the job ends: a job that loses it stops. */
  input?: Readable;
  /** Called at once with the way to give the job JSON lines on its standard input, which stays open; instead of `input`. */
  onStart?: (tell: (order: object) => void) => void;
  /** Each JSON line of standard output; not called where `stream` is used. */
  onMessage?: (message: unknown) => void;
  signal?: AbortSignal;
}

/**
 * Runs a job to its end. Errors: what the job reported; `cancelled` when the signal fired or the input broke off.
 */
export async function runJob(name: string, argument: object, options: JobOptions): Promise<void> {
  const job = startJob(name, argument, options);
  const ended = job.ended;
  ended.catch(() => undefined); // looked at below; until then it must not count as unhandled
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of job.output as AsyncIterable<Buffer>) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() as string;
    for (const line of lines) options.onMessage?.(JSON.parse(line));
  }
  await ended;
}

/** A job whose standard output is the result. Destroying `output` ends the job. */
export interface RunningJob {
  output: Readable;
  /** Settles when the job is gone, with its error where it failed. */
  ended: Promise<void>;
  /** Kills the job and all it started. */
  kill(): void;
}

export function startJob(name: string, argument: object, options: Omit<JobOptions, 'onMessage'>): RunningJob {
  options.signal?.throwIfAborted();
  const [program, ...prefix] = selfCommand() as [string, ...string[]];
  // A session of its own, so that one kill reaches the programs that the job started too.
  const child = spawn(program, [...prefix, '--job', name, JSON.stringify(argument)], {
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  });
  let cancelled: unknown = null;
  const kill = (): void => {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It ended between the look and the kill.
    }
  };
  const cancel = (reason: unknown): void => {
    cancelled ??= reason ?? new Error('cancelled');
    kill();
  };
  const onAbort = (): void => cancel(options.signal?.reason);
  options.signal?.addEventListener('abort', onAbort, { once: true });
  feed(child.stdin, options.input, cancel);
  options.onStart?.((order) => void child.stdin.write(`${JSON.stringify(order)}\n`));
  child.stdout.on('close', () => {
    if (!child.stdout.readableEnded) cancel(new Error('nobody reads the result'));
  });
  const ended = outcome(child, name, () => cancelled).finally(() =>
    options.signal?.removeEventListener('abort', onAbort),
  );
  return { output: child.stdout, ended, kill };
}

/**
 * The output of a job as a stream that ends in the job's error where it failed. When the stream closes, read or not, the job is gone
 * and `onClose` runs; `onEnd` runs before, and only where all went well.
 */
export function jobStream(job: RunningJob, hooks: { onEnd?: () => void; onClose?: () => void } = {}): Readable {
  // It may fail before anybody reads; whoever does hears of it.
  job.ended.catch(() => undefined);
  const bytes = async function* (): AsyncGenerator<Buffer> {
    yield* job.output as AsyncIterable<Buffer>;
    await job.ended;
    hooks.onEnd?.();
  };
  const stream = Readable.from(bytes(), { objectMode: false, highWaterMark: 1024 * 1024 });
  stream.once('close', () => {
    job.kill();
    hooks.onClose?.();
  });
  return stream;
}

type Child = ReturnType<typeof spawn>;

function feed(stdin: NonNullable<Child['stdin']>, input: Readable | undefined, cancel: (reason: unknown) => void) {
  // EPIPE: the job ended before its input did, and its exit says why.
  let refused = false;
  stdin.on('error', () => {
    refused = true;
    input?.unpipe(stdin);
  });
  if (!input) return;
  input.on('error', cancel);
  input.on('close', () => {
    if (!input.readableEnded && !refused) cancel(new BerthError('cancelled', 'unexpected EOF'));
  });
  input.pipe(stdin);
}

async function outcome(child: Child, name: string, cancelled: () => unknown): Promise<void> {
  let errors = '';
  child.stderr?.setEncoding('utf8');
  child.stderr?.on('data', (text: string) => {
    errors = (errors + text).slice(-16_384);
  });
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  child.on('error', (cause) => reject(new BerthError('internal', `start job ${name}: ${cause.message}`, { cause })));
  child.on('close', resolve);
  const code = await promise;
  child.stdin?.destroy();
  if (code === 0) return;
  // A job that says what went wrong closes its input by ending: that is no second reason.
  const said = reported(errors);
  if (said) throw said;
  const reason = cancelled();
  if (reason)
    throw reason instanceof BerthError ? reason : new BerthError('cancelled', 'context canceled', { cause: reason });
  throw new BerthError('internal', `job ${name} failed: ${errors.trim() || `exit code ${code}`}`);
}

function reported(errors: string): BerthError | null {
  const last = errors.trimEnd().split('\n').at(-1) ?? '';
  if (!last.startsWith('{')) return null;
  try {
    const { kind, message, code } = JSON.parse(last) as JobError;
    return new BerthError(kind, message, { ...(code && { code }) });
  } catch {
    return null; // some other program's words: the caller shows them as they are
  }
}
