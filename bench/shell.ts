/**
 * One long-lived shell per contender. A command is timed from the write of its line to the answer with its exit code, so every
 * contender pays the same fork and exec, and Podman's pays no entry into its root.
 */
import type { Subprocess } from 'bun';

export interface Timed {
  milliseconds: number;
  code: number;
  /** Standard output of the command. */
  output: string;
}

export class Shell {
  readonly #process: Subprocess<'pipe', 'pipe', 'inherit'>;
  readonly #lines: AsyncIterator<string>;

  /** @param command that reads shell commands from its standard input */
  constructor(command: string[], environment: Record<string, string> = {}) {
    this.#process = Bun.spawn(command, {
      stdin: 'pipe',
      stdout: 'pipe',
      stderr: 'inherit',
      env: { ...process.env, ...environment },
    });
    this.#lines = linesOf(this.#process.stdout);
  }

  /** Runs one command line to its end. */
  async run(command: string): Promise<Timed> {
    const before = performance.now();
    this.#process.stdin.write(`${command}\necho "@end $?"\n`);
    this.#process.stdin.flush();
    const output: string[] = [];
    for (;;) {
      const { value, done } = await this.#lines.next();
      if (done) throw new Error(`the shell ended during: ${command}`);
      const end = /^(.*)@end (\d+)$/.exec(value);
      if (!end) {
        output.push(value);
        continue;
      }
      if (end[1]) output.push(end[1]);
      return { milliseconds: performance.now() - before, code: Number(end[2]), output: output.join('\n') };
    }
  }

  /** Like `run`, but a non-zero exit is an error. */
  async must(command: string): Promise<Timed> {
    const timed = await this.run(command);
    if (timed.code !== 0) throw new Error(`exit ${timed.code}: ${command}\n${timed.output}`);
    return timed;
  }

  async close(): Promise<void> {
    this.#process.stdin.end();
    await this.#process.exited;
  }
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of stream) {
    rest += decoder.decode(chunk, { stream: true });
    let newline = rest.indexOf('\n');
    while (newline >= 0) {
      yield rest.slice(0, newline);
      rest = rest.slice(newline + 1);
      newline = rest.indexOf('\n');
    }
  }
}
