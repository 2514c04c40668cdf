/** What users type, as they type it: a shell script in which `$D` is the client. */
import { type CommandResult, run } from './command.ts';
import { dockerClient } from './docker-client.ts';
import { program, type TestEngine } from './engine.ts';

export type ClientName = 'berth' | 'docker';
export const clients: readonly ClientName[] = ['berth', 'docker'];

export class UserShell {
  readonly #engine: () => TestEngine;
  readonly #client: ClientName;
  readonly #cwd: string;

  /** @param engine asked for with each line: it may start later than its shells are made */
  constructor(engine: () => TestEngine, client: ClientName, cwd: string) {
    this.#engine = engine;
    this.#client = client;
    this.#cwd = cwd;
  }

  /** Runs the lines to the first that fails. */
  async try(script: string, stdin?: string): Promise<CommandResult> {
    const D = this.#client === 'berth' ? program().join(' ') : dockerClient();
    const env = { ...this.#engine().clientEnvironment, D };
    return await run(['bash', '-ec', script], { env, cwd: this.#cwd, stdin });
  }

  /** As `try`, anything but exit code 0 throws; gives what was printed, without the last newline. */
  async type(script: string, stdin?: string): Promise<string> {
    const { code, stdout, stderr } = await this.try(script, stdin);
    if (code !== 0) throw new Error(`${script}: exit code ${code}\n${stderr}${stdout}`);
    return stdout.replace(/\n$/, '');
  }

  /** What is said about a line that must fail. */
  async refusal(script: string): Promise<string> {
    const { code, stdout, stderr } = await this.try(script);
    if (code === 0) throw new Error(`${script}: no failure\n${stdout}`);
    return stderr;
  }
}
