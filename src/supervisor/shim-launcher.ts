/**
 * Starts shims through one small process of the native program (`shim launch`) that forks them. Spawning from the engine would
 * stop its event loop until the kernel has run the child: a millisecond, and five when the machine is busy.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { BerthError } from '../api/errors.ts';

interface Launcher {
  child: ChildProcessByStdio<Writable, Readable, null>;
  /** In the order of the requests. */
  waiting: PromiseWithResolvers<string>[];
}

/** Milliseconds for which one warm-up surely lasts. */
const warmUpLasts = 4;

export class ShimLauncher {
  readonly #program: string;
  #lastWarmUp = 0;
  #launcher: Launcher | null = null;

  constructor(program: string) {
    this.#program = program;
  }

  /** Resolves when a shim listens in `directory`. Error: `internal` with the reason in `fork/exec`'s words. */
  async launch(directory: string): Promise<void> {
    if (directory.includes('\n')) throw new BerthError('invalid', 'the exec root must not contain a newline');
    const launcher = this.#launcher ?? this.#spawn();
    const answer = Promise.withResolvers<string>();
    launcher.waiting.push(answer);
    launcher.child.stdin.write(`${directory}\n`);
    const problem = await answer.promise;
    if (problem !== '') throw new BerthError('internal', `fork/exec ${this.#program}: ${problem}`);
  }

  /**
   * A start is near: the kernel's wait before a process may enter a cgroup (a grace period of RCU, 4–8 ms) begins now instead of
   * in the middle of it. Costs a write, and a fork elsewhere.
   */
  warmUp(): void {
    const now = performance.now();
    if (now - this.#lastWarmUp < warmUpLasts) return;
    this.#lastWarmUp = now;
    (this.#launcher ?? this.#spawn()).child.stdin.write('warm\n');
  }

  /** Ends the launcher; its shims go on. */
  close(): void {
    this.#launcher?.child.stdin.end();
    this.#launcher = null;
  }

  #spawn(): Launcher {
    const child = spawn(this.#program, ['launch'], {
      cwd: '/',
      detached: true,
      stdio: ['pipe', 'pipe', 'ignore'],
      env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' },
    });
    const launcher: Launcher = { child, waiting: [] };
    this.#launcher = launcher;
    let rest = '';
    child.stdout.on('data', (chunk: Buffer) => {
      const lines = (rest + chunk.toString('latin1')).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) launcher.waiting.shift()?.resolve(line);
    });
    const lost = (reason: string): void => {
      if (this.#launcher === launcher) this.#launcher = null;
      const error = new BerthError('internal', `fork/exec ${this.#program}: ${reason}`);
      for (const answer of launcher.waiting.splice(0)) answer.reject(error);
    };
    child.on('error', (error) => lost(error.message));
    child.on('exit', () => lost('the launcher ended'));
    child.stdin.on('error', () => undefined); // its end is told by 'exit'
    child.unref();
    return launcher;
  }
}
