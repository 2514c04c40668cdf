/** Programs that a test runs: to the end, or alive with what they wrote so far. */
import { constants } from 'node:os';
import type { Subprocess } from 'bun';
import { until } from './until.ts';

export interface CommandOptions {
  env?: Record<string, string | undefined>;
  cwd?: string;
  /** What the program reads; without it: nothing (/dev/null). */
  stdin?: string | Uint8Array;
  /** Milliseconds after which the program is killed and the test fails; default 200,000. */
  timeout?: number;
}

export interface CommandResult {
  /** 128 + signal for a killed program. */
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs a program to its end. */
export async function run(command: string[], options: CommandOptions = {}): Promise<CommandResult> {
  const { stdin, timeout = 200_000 } = options;
  const process = Bun.spawn(command, {
    ...places(options),
    stdin: stdin === undefined ? 'ignore' : typeof stdin === 'string' ? new TextEncoder().encode(stdin) : stdin,
    stdout: 'pipe',
    stderr: 'pipe',
  });
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    process.kill('SIGKILL');
  }, timeout);
  const output = Promise.all([process.exited, process.stdout.text(), process.stderr.text()]);
  const [code, stdout, stderr] = await output.finally(() => clearTimeout(timer));
  if (late) throw new Error(`${command.join(' ')}: still running after ${timeout / 1000} s\n${stdout}${stderr}`);
  return { code: exitStatus(code, process.signalCode), stdout, stderr };
}

/** As `run`, but anything but exit code 0 throws. Gives stdout without the last newline. */
export async function runOk(command: string[], options: CommandOptions = {}): Promise<string> {
  const result = await run(command, options);
  if (result.code !== 0) {
    throw new Error(`${command.join(' ')}: exit code ${result.code}\n${result.stderr}${result.stdout}`);
  }
  return result.stdout.replace(/\n$/, '');
}

/** A program that runs beside the test. */
export class RunningCommand {
  readonly #process: Subprocess<'pipe', 'pipe', 'pipe'>;
  readonly #name: string;
  #done: Promise<unknown>;
  stdout = '';
  stderr = '';

  constructor(command: string[], options: Omit<CommandOptions, 'stdin' | 'timeout'> = {}) {
    this.#name = command.join(' ');
    this.#process = Bun.spawn(command, { ...places(options), stdin: 'pipe', stdout: 'pipe', stderr: 'pipe' });
    this.#done = Promise.all([
      this.#collect(this.#process.stdout, (text) => {
        this.stdout += text;
      }),
      this.#collect(this.#process.stderr, (text) => {
        this.stderr += text;
      }),
    ]);
  }

  get pid(): number {
    return this.#process.pid;
  }

  write(text: string | Uint8Array): void {
    this.#process.stdin.write(text);
    this.#process.stdin.flush();
  }

  async closeInput(): Promise<void> {
    await this.#process.stdin.end();
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  /** Waits until stdout matches. */
  async output(pattern: RegExp): Promise<RegExpMatchArray> {
    return await until(`${pattern} in the output of ${this.#name}`, () => {
      const match = this.stdout.match(pattern);
      if (!match && this.#process.exitCode !== null) {
        throw new Error(`it ended (${this.#process.exitCode}): ${this.stdout}${this.stderr}`);
      }
      return match;
    });
  }

  /** Waits for the end and for all output. */
  async exit(deadline?: number): Promise<CommandResult> {
    await until(
      `the end of ${this.#name} (so far: ${this.stdout.slice(-500)}${this.stderr.slice(-500)})`,
      () => this.#ended,
      deadline,
    );
    await this.#done;
    const { exitCode, signalCode } = this.#process;
    return {
      code: exitStatus(exitCode, signalCode),
      stdout: this.stdout,
      stderr: this.stderr,
    };
  }

  /** For clean-up: ends it whatever it does. */
  async kill(): Promise<void> {
    if (!this.#ended) this.#process.kill('SIGKILL');
    await this.#process.exited;
  }

  get #ended(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null;
  }

  async #collect(stream: ReadableStream<Uint8Array>, take: (text: string) => void): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of stream) take(decoder.decode(chunk, { stream: true }));
  }
}

function places(options: CommandOptions): { env: Record<string, string | undefined>; cwd?: string } {
  const env = { ...process.env, ...options.env };
  return options.cwd === undefined ? { env } : { env, cwd: options.cwd };
}

/** What a shell would call it: 128 + signal for a killed program. */
function exitStatus(code: number | null, signal: string | number | null): number {
  if (signal === null) return code ?? 255;
  return 128 + (typeof signal === 'number' ? signal : (constants.signals[signal as NodeJS.Signals] ?? 0));
}
