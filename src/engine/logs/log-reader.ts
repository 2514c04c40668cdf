/**
 * Reading container logs. The work is done by the native helper (`shim read-log`, shim/log-reader.c), one short-lived process a
 * reader: the engine only passes its bytes on, at the reader's pace.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { BerthError } from '../../api/errors.ts';
import type { LogsOptions } from '../../api/types/container-requests.ts';

/** What a reader must know of a container. */
export interface LoggedContainer {
  /** The current log file. */
  path: string;
  /** Its output is raw, not framed. */
  terminal: boolean;
  /** Null: it does not run, and following ends at once, as under dockerd. Otherwise calls back at the exit; gives the way to forget it. */
  onceExited: ((callback: () => void) => () => void) | null;
}

/**
 * The log as stdcopy frames, one for each entry, or raw bytes for a terminal. The stream takes no more memory than its buffer,
 * whatever the log's size; destroying it ends the reader. A follower loses nothing to rotation, however slow it is.
 * @param helper path of the native helper program
 * @throws `internal` when the helper cannot be started
 */
export async function readLog(helper: string, container: LoggedContainer, query: LogsOptions): Promise<Readable> {
  const child = spawn(helper, ['read-log', container.path, ...readerArguments(container, query)], {
    // A follower reads to the end and leaves when its standard input is closed.
    stdio: [query.follow ? 'pipe' : 'ignore', 'pipe', 'pipe'],
  }) as ChildProcessByStdio<Writable | null, Readable, Readable>;
  const forget = query.follow ? container.onceExited?.(() => child.stdin?.end()) : undefined;
  let errors = '';
  child.stderr.setEncoding('utf8');
  child.stderr.on('data', (text: string) => {
    errors = (errors + text).slice(-4096);
  });
  const { promise: started, resolve, reject } = Promise.withResolvers<void>();
  child.once('spawn', resolve);
  child.once('error', (cause) => reject(new BerthError('internal', `read the log: ${cause.message}`, { cause })));
  await started.catch((error: unknown) => {
    forget?.();
    throw error;
  });
  child.once('exit', (code) => {
    forget?.();
    if (code !== 0 && code !== null)
      child.stdout.destroy(new BerthError('internal', errors.trim() || 'the log reader failed'));
  });
  child.stdout.once('close', () => child.kill('SIGKILL'));
  return child.stdout;
}

function readerArguments(container: LoggedContainer, query: LogsOptions): string[] {
  const list: string[] = [];
  if (query.stdout) list.push('--stdout');
  // A terminal's output is one stream; asking for either gives it.
  if (query.stderr || container.terminal) list.push('--stderr');
  if (container.terminal) list.push('--stdout', '--raw');
  if (query.follow && container.onceExited !== null) list.push('--follow');
  if (query.since !== null) list.push('--since', clamp(query.since));
  if (query.until !== null) list.push('--until', clamp(query.until));
  if (query.tail !== null) list.push('--tail', String(query.tail));
  if (query.timestamps) list.push('--timestamps');
  if (query.details) list.push('--details');
  if (query.mergeFrames) list.push('--merge');
  return list;
}

/** The helper counts in 64 bits, and keeps both ends of the range for itself. */
function clamp(time: bigint): string {
  const most = 2n ** 63n - 2n;
  return String(time > most ? most : time < -most ? -most : time);
}
