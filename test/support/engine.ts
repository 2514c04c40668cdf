/**
 * A real engine for one test file: its own roots, socket, bridge, subnet, nftables table and cgroup parent.
 *
 *   const engine = await startEngine({ images: ['busybox'] });
 *   afterAll(() => engine.cleanUp());
 *   expect((await engine.berth('run', '--rm', 'busybox', 'echo', 'hi')).stdout).toBe('hi\n');
 */
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Subprocess } from 'bun';
import { type CommandOptions, type CommandResult, RunningCommand, run } from './command.ts';
import { demolish, powerOff } from './demolish.ts';
import { dockerClient } from './docker-client.ts';
import { Failpoints } from './failpoints.ts';
import { claimIdentity, type EngineIdentity, releaseIdentity } from './identity.ts';
import { busyboxArchive } from './images.ts';
import { expectNoLeaks, nftables } from './leaks.ts';
import type { Machine } from './machine.ts';
import { repository } from './repository.ts';
import { until } from './until.ts';

export interface EngineOptions {
  /** Further flags of `berth daemon`. */
  flags?: string[];
  /** Further keys of daemon.json. */
  config?: Record<string, unknown>;
  env?: Record<string, string>;
  /** Images to load once it answers: `busybox` or the path of an archive. */
  images?: string[];
  /** Milliseconds until it must answer; default 60,000. */
  deadline?: number;
  /** Where it runs, when not on this machine; the socket is reached from here all the same. */
  machine?: Machine;
}

/** argv prefix of the program under test: `$BERTH_TEST_PROGRAM` (scripts/test sets it to dist/berth) or the source. */
export function program(): string[] {
  const built = process.env['BERTH_TEST_PROGRAM'];
  return built ? [built] : [join(repository, 'node_modules/.bin/bun'), join(repository, 'src/bin/berth.ts')];
}

export async function startEngine(options: EngineOptions = {}): Promise<TestEngine> {
  const engine = new TestEngine(claimIdentity(), options);
  try {
    await engine.start();
    for (const image of options.images ?? []) await engine.load(image === 'busybox' ? busyboxArchive() : image);
  } catch (error) {
    await engine.abandon();
    throw error;
  }
  return engine;
}

export class TestEngine {
  readonly identity: EngineIdentity;
  readonly failpoints: Failpoints;
  /** `unix://…` for `-H` and `DOCKER_HOST`. */
  readonly host: string;
  readonly #options: EngineOptions;
  readonly #directory: string;
  readonly #running: RunningCommand[] = [];
  #process: Subprocess | null = null;
  #table: string | null = null;

  constructor(identity: EngineIdentity, options: EngineOptions) {
    this.identity = identity;
    this.#options = options;
    this.host = `unix://${identity.socket}`;
    this.#directory = identity.notes;
    // What a killed test left there is not this one's.
    rmSync(this.#directory, { recursive: true, force: true });
    mkdirSync(this.#directory, { recursive: true });
    this.failpoints = new Failpoints(join(this.#directory, 'failpoints'));
    const config = {
      'cgroup-parent': identity.cgroupParent,
      'default-address-pools': [{ base: identity.pool, size: 24 }],
      ...options.config,
    };
    writeFileSync(join(this.#directory, 'daemon.json'), JSON.stringify(config));
  }

  /** Pid of the engine; throws when it does not run. */
  get pid(): number {
    if (!this.#process) throw new Error('the engine does not run');
    return this.#process.pid;
  }

  /** What the engine wrote so far. */
  get log(): string {
    const path = join(this.#directory, 'engine.log');
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  }

  get command(): string[] {
    const { identity } = this;
    return [
      ...(this.#options.machine?.prefix ?? []),
      ...program(),
      'daemon',
      ...['-H', this.host, '--data-root', identity.dataRoot, '--exec-root', identity.execRoot],
      ...['--pidfile', identity.pidfile, '--bridge', identity.bridge, '--bip', identity.bip],
      ...['--config-file', join(this.#directory, 'daemon.json'), ...(this.#options.flags ?? [])],
    ];
  }

  /** Starts it and waits until it answers. */
  async start(): Promise<void> {
    if (this.#process) throw new Error('the engine runs already');
    const log = openSync(join(this.#directory, 'engine.log'), 'a');
    const child = Bun.spawn(this.command, {
      stdin: 'ignore',
      stdout: log,
      stderr: log,
      env: { ...process.env, ...this.#options.env, BERTH_FAILPOINTS: this.failpoints.path },
    });
    closeSync(log);
    this.#process = child;
    const answers = async (): Promise<boolean> => {
      if (child.exitCode !== null || child.signalCode !== null) return true;
      return await this.answers();
    };
    try {
      await until('the engine to answer', answers, this.#options.deadline);
      if (child.exitCode !== null || child.signalCode !== null) {
        this.#process = null;
        throw new Error(`the engine ended at once: ${child.signalCode ?? child.exitCode}`);
      }
    } catch (error) {
      throw new Error(`${(error as Error).message}\n${this.log.slice(-4000)}`);
    }
    this.#table ??= nftables(this.identity);
  }

  /** True when `_ping` says OK. */
  async answers(): Promise<boolean> {
    try {
      const response = await fetch('http://engine/_ping', {
        unix: this.identity.socket,
        signal: AbortSignal.timeout(10_000),
      });
      return (await response.text()) === 'OK';
    } catch {
      // No socket yet, or nobody behind it.
      return false;
    }
  }

  /** Waits for the engine's own end, as after a `kill9` failpoint. */
  async died(): Promise<void> {
    const child = this.#process;
    if (!child) return;
    await until('the end of the engine', () => child.exitCode !== null || child.signalCode !== null);
    this.#process = null;
  }

  /** kill -9 of the engine only: shims and containers live on. */
  async kill9(): Promise<void> {
    process.kill(this.pid, 'SIGKILL');
    await this.died();
  }

  /** What a reboot leaves of the engine: its data root. Starts it again. */
  async reboot(): Promise<void> {
    await this.kill9();
    await powerOff(this.identity);
    await this.start();
  }

  /** Graceful stop (SIGTERM); containers live on. Gives the exit code. */
  async stop(): Promise<number | null> {
    const child = this.#process;
    process.kill(this.pid, 'SIGTERM');
    await this.died();
    return child?.exitCode ?? null;
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /** Environment of a client of this engine. */
  get clientEnvironment(): Record<string, string | undefined> {
    return {
      DOCKER_HOST: this.host,
      BERTH_HOST: this.host,
      DOCKER_CONFIG: join(this.#directory, 'client'),
      DOCKER_CONTEXT: undefined,
    };
  }

  /** Runs our command line to its end. */
  async berth(...args: string[]): Promise<CommandResult> {
    return await this.berthWith({}, ...args);
  }

  async berthWith(options: CommandOptions, ...args: string[]): Promise<CommandResult> {
    return await run([...program(), ...args], { ...options, env: { ...this.clientEnvironment, ...options.env } });
  }

  /** Runs Debian's docker client to its end. */
  async docker(...args: string[]): Promise<CommandResult> {
    return await this.dockerWith({}, ...args);
  }

  async dockerWith(options: CommandOptions, ...args: string[]): Promise<CommandResult> {
    return await run([dockerClient(), ...args], { ...options, env: { ...this.clientEnvironment, ...options.env } });
  }

  /** As `berth`, anything but exit code 0 throws; stdout without the last newline. */
  async ok(...args: string[]): Promise<string> {
    const result = await this.berth(...args);
    if (result.code !== 0)
      throw new Error(`berth ${args.join(' ')}: exit code ${result.code}\n${result.stderr}${result.stdout}`);
    return result.stdout.replace(/\n$/, '');
  }

  /** A client that runs beside the test; killed by `cleanUp`. */
  spawn(client: 'berth' | 'docker', ...args: string[]): RunningCommand {
    const prefix = client === 'berth' ? program() : [dockerClient()];
    const running = new RunningCommand([...prefix, ...args], { env: this.clientEnvironment });
    this.#running.push(running);
    return running;
  }

  /** One request to the API: `await engine.request('POST', '/v1.52/containers/x/start')`. A plain object is sent as JSON. */
  async request(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Response> {
    const isRaw =
      body === undefined ||
      typeof body === 'string' ||
      body instanceof Blob ||
      body instanceof Uint8Array ||
      body instanceof ReadableStream;
    return await fetch(`http://engine${path}`, {
      method,
      unix: this.identity.socket,
      headers: isRaw ? headers : { 'content-type': 'application/json', ...headers },
      body: isRaw
        ? (body as string | Blob | Uint8Array<ArrayBuffer> | ReadableStream | undefined)
        : JSON.stringify(body),
    });
  }

  /** Loads an image archive; fails on an error in the stream. */
  async load(archive: string): Promise<void> {
    const response = await this.request('POST', '/images/load?quiet=1', Bun.file(archive), {
      'content-type': 'application/x-tar',
    });
    const text = await response.text();
    if (!response.ok || text.includes('"error"')) throw new Error(`loading ${archive}: ${response.status} ${text}`);
  }

  /** Inspect of a container. */
  // biome-ignore lint/suspicious/noExplicitAny: tests reach into Docker's JSON without a type for every part
  async inspect(container: string): Promise<any> {
    const response = await this.request('GET', `/containers/${container}/json`);
    if (!response.ok) throw new Error(`inspect ${container}: ${response.status} ${await response.text()}`);
    return await response.json();
  }

  /** Makes an empty file in a running container. Not by an exec, which would die with a container that ends at the sight of the file. */
  async touch(container: string, path: string): Promise<void> {
    writeFileSync(`/proc/${(await this.inspect(container)).State.Pid}/root${path}`, '');
  }

  /** Removes every container by force. */
  async removeContainers(): Promise<void> {
    const response = await this.request('GET', '/containers/json?all=1');
    const containers = (await response.json()) as { Id: string }[];
    await Promise.all(
      containers.map(async ({ Id }) => {
        const removed = await this.request('DELETE', `/containers/${Id}?force=1&v=1`);
        // Gone or going already (a container with --rm) is as good.
        if (!removed.ok && removed.status !== 404 && removed.status !== 409) {
          throw new Error(`removing ${Id}: ${removed.status} ${await removed.text()}`);
        }
      }),
    );
  }

  /** Fails when anything of a container is left. Call it when every container is removed. */
  async expectNoLeaks(deadline?: number): Promise<void> {
    const listening = [...this.log.matchAll(/listen on (?:tcp|http):[^\s"]*:(\d+)/g)].map(([, port]) => Number(port));
    await expectNoLeaks(this.identity, { engine: this.pid, table: this.#table, listening }, deadline);
  }

  /** The end of a test file: removes the containers, fails on leaks, stops the engine and takes everything away. */
  async cleanUp(): Promise<void> {
    try {
      for (const running of this.#running) await running.kill();
      if (!this.#process) await this.start();
      this.failpoints.clear();
      await this.removeContainers();
      await this.expectNoLeaks();
      const code = await this.stop();
      if (code !== 0) throw new Error(`the engine ended with ${code}`);
    } catch (error) {
      throw new Error(`${(error as Error).message}\nthe engine's log:\n${this.log.slice(-4000)}`);
    } finally {
      await this.abandon();
    }
  }

  /** Takes everything away without looking for leaks. `BERTH_TEST_KEEP=1` leaves it for a look. */
  async abandon(): Promise<void> {
    if (process.env['BERTH_TEST_KEEP']) return;
    for (const running of this.#running) await running.kill();
    await demolish(this.identity);
    releaseIdentity(this.identity);
  }
}
