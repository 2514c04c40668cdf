import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { BerthError } from '../../api/errors.ts';

export interface RunToolOptions {
  /** Working directory. */
  cwd?: string;
  /** Added to this program's environment; undefined takes a variable away. */
  env?: Record<string, string | undefined>;
  signal?: AbortSignal;
  /** Each line of standard output and standard error. */
  onLine?: (line: string) => void;
}

/**
 * The program runs below a shell that watches its own standard input: when this program dies in any way, the pipe breaks and the
 * program is killed, so that nothing works on for nobody.
 */
const watched = `exec 3<&0
"$@" </dev/null 3<&- &
work=$!
{ cat <&3; kill -KILL $work; } >/dev/null 2>&1 &
watch=$!
exec 3<&-
wait $work
code=$?
kill $watch 2>/dev/null
exit $code`;

/** Lines that are kept for the error. */
const keptLines = 20;

/**
 * Runs a program of the host to its end; gives its output. Errors: `unavailable` where it is not installed, `internal` with its last
 * lines where it fails; the signal's reason.
 */
export async function runTool(argv: readonly string[], options: RunToolOptions = {}): Promise<string> {
  options.signal?.throwIfAborted();
  const child = spawn('/bin/sh', ['-c', watched, 'sh', ...argv], {
    cwd: options.cwd,
    env: { ...process.env, LC_ALL: 'C.UTF-8', ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const stop = (): void => void child.stdin.destroy();
  options.signal?.addEventListener('abort', stop, { once: true });
  const output: string[] = [];
  const last: string[] = [];
  const read = [child.stdout, child.stderr].map((stream) => {
    const lines = createInterface({ input: stream }).on('line', (line) => {
      if (stream === child.stdout) output.push(line);
      last.push(line);
      if (last.length > keptLines) last.shift();
      options.onLine?.(line);
    });
    return once(lines, 'close');
  });
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  child.once('error', reject).once('close', resolve);
  try {
    const code = await promise;
    // The end of the process may be told before its last lines.
    await Promise.all(read);
    options.signal?.throwIfAborted();
    if (code === 0) return output.join('\n');
    const tool = argv[0] as string;
    if (code === 127) throw new BerthError('unavailable', `${tool}: not found`, { code: 'tool-missing' });
    throw new BerthError('internal', `${tool} failed with code ${code}: ${last.join('\n')}`, { code: 'tool-failed' });
  } finally {
    options.signal?.removeEventListener('abort', stop);
    child.stdin.destroy();
  }
}
