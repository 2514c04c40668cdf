/** `berth registry serve` in a process of its own, over a directory that goes with it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Subprocess } from 'bun';
import { run } from './command.ts';
import { program } from './engine.ts';
import { Failpoints } from './failpoints.ts';
import { until } from './until.ts';

export interface BerthRegistryOptions {
  /** Name → password. */
  users?: Record<string, string>;
  /** Further options of `berth registry serve`. */
  options?: string[];
  /** Where to listen; default 127.0.0.1. */
  address?: string;
  env?: Record<string, string>;
  /** Default: one of its own. */
  root?: string;
}

export class BerthRegistry {
  readonly root: string;
  readonly failpoints: Failpoints;
  readonly #options: BerthRegistryOptions;
  readonly #directory: string;
  #process: Subprocess<'ignore', 'ignore', 'pipe'> | null = null;
  #port = 0;
  #log = '';

  private constructor(options: BerthRegistryOptions) {
    this.#options = options;
    this.#directory = mkdtempSync(join(tmpdir(), 'berth-registry-test-'));
    this.root = options.root ?? join(this.#directory, 'root');
    this.failpoints = new Failpoints(join(this.#directory, 'failpoints'));
  }

  static async start(options: BerthRegistryOptions = {}): Promise<BerthRegistry> {
    const registry = new BerthRegistry(options);
    for (const [name, password] of Object.entries(options.users ?? {})) await registry.addUser(name, password);
    await registry.start();
    return registry;
  }

  async addUser(name: string, password: string, ...options: string[]): Promise<void> {
    await this.command({ stdin: password }, 'user', 'add', '--password-stdin', ...options, name);
  }

  /** `berth registry …` over this registry's directory. */
  async command(options: { stdin?: string }, ...args: string[]): Promise<string> {
    const [verb = '', ...rest] = args;
    const result = await run([...program(), 'registry', verb, '--root', this.root, ...rest], options);
    if (result.code !== 0) throw new Error(`berth registry ${args.join(' ')}: ${result.stderr}`);
    return result.stdout;
  }

  get port(): number {
    return this.#port;
  }

  get host(): string {
    return `127.0.0.1:${this.#port}`;
  }

  get url(): string {
    return `${this.#options.options?.some((option) => option.startsWith('--tls')) ? 'https' : 'http'}://${this.host}`;
  }

  /** What it wrote so far. */
  get log(): string {
    return this.#log;
  }

  get pid(): number {
    return this.#process?.pid as number;
  }

  /** Starts it; again at the same port after `kill` or `stop`. */
  async start(): Promise<void> {
    this.#log = '';
    const address = `${this.#options.address ?? '127.0.0.1'}:${this.#port}`;
    const child = Bun.spawn(
      [...program(), 'registry', 'serve', '--root', this.root, '-a', address, '-D', ...(this.#options.options ?? [])],
      {
        stdin: 'ignore',
        stdout: 'ignore',
        stderr: 'pipe',
        env: { ...process.env, ...this.#options.env, BERTH_FAILPOINTS: this.failpoints.path },
      },
    );
    this.#process = child;
    void this.#read(child.stderr);
    const isUp = (): boolean => /listens on \S+:(\d+)/.test(this.#log) || child.exitCode !== null;
    await until('the registry to listen', isUp);
    const port = /listens on \S+:(\d+)/.exec(this.#log)?.[1];
    if (!port) throw new Error(`the registry ended at once: ${this.#log}`);
    this.#port = Number(port);
  }

  async #read(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of stream) this.#log += decoder.decode(chunk, { stream: true });
  }

  /** Waits for its own end, as after a `kill9` failpoint. */
  async died(): Promise<void> {
    await this.#process?.exited;
    this.#process = null;
  }

  async kill(): Promise<void> {
    this.#process?.kill('SIGKILL');
    await this.died();
  }

  /** Ends it and takes its directory away. */
  async stop(): Promise<void> {
    this.#process?.kill('SIGTERM');
    await this.died();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
