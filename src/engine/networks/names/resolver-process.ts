/** The engine's end of the resolver process (src/programs/resolver): finds it, or starts it when the first name is wanted. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { createConnection, type Socket } from 'node:net';
import { join } from 'node:path';
import { errorMessage } from '../../../api/errors.ts';
import { selfCommand } from '../../../host/process/self.ts';
import type { SandboxNames } from './name-book.ts';
import type { Names } from './names.ts';
import {
  type ResolverReply,
  type ResolverRequest,
  type ResolverSandbox,
  resolverSocketName,
  resolverSocketPattern,
} from './resolver-protocol.ts';

export interface ResolverProcessOptions {
  /** Where its sockets are. */
  directory: string;
  /** Where each container has its directory until the engine has seen its end. */
  containers: string;
  /** What the resolver must know when it had to be started anew. */
  running(): ResolverSandbox[];
  report(message: string, error: unknown): void;
}

/**
 * A thread that the JavaScript engine starts while the resolver is inside of a container's network would stay there and keep it
 * alive: it compiles and collects in its only thread.
 */
const singleThreaded = {
  BUN_JSC_useConcurrentJIT: '0',
  BUN_JSC_useConcurrentGC: '0',
  BUN_JSC_numberOfGCMarkers: '1',
};

/** Milliseconds that a process may take to be there. */
const startDeadline = 10_000;

type Body = ResolverRequest extends infer R ? (R extends { n: number } ? Omit<R, 'n'> : never) : never;

export class ResolverProcess implements Names {
  readonly socket: string;
  readonly #options: ResolverProcessOptions;
  readonly #waiting = new Map<number, PromiseWithResolvers<void>>();
  #connection: Promise<Socket> | null = null;
  /** The connection that is open. */
  #current: Socket | null = null;
  #number = 0;
  #isClosing = false;

  constructor(options: ResolverProcessOptions) {
    this.#options = options;
    this.socket = join(options.directory, resolverSocketName);
  }

  async put(names: SandboxNames, pid: number | null): Promise<void> {
    await this.#ask({ put: { names, pid } });
  }

  drop(containerId: string): void {
    if (this.#connection) this.#quietly('forget names', this.#ask({ drop: containerId }));
  }

  async sync(sandboxes: readonly ResolverSandbox[]): Promise<void> {
    if (sandboxes.length > 0 || (await this.#exists())) await this.#ask({ sync: [...sandboxes] });
    await this.#replaceOthers();
  }

  /** Leaves the process to itself: it goes on as long as there are containers. */
  async close(): Promise<void> {
    this.#isClosing = true;
    const connection = await this.#connection?.catch(() => null);
    connection?.destroy();
  }

  async #ask(body: Body): Promise<void> {
    const connection = await this.#connect();
    try {
      await this.#expect(connection, body);
    } catch (error) {
      if (!connection.destroyed || this.#isClosing) throw error;
      // It died meanwhile; its successor is asked.
      await this.#expect(await this.#connect(), body);
    }
  }

  #expect(connection: Socket, body: Body): Promise<void> {
    const n = ++this.#number;
    const waiting = Promise.withResolvers<void>();
    this.#waiting.set(n, waiting);
    connection.write(`${JSON.stringify({ n, ...body })}\n`);
    return waiting.promise;
  }

  #connect(): Promise<Socket> {
    if (this.#connection) return this.#connection;
    const connection = this.#open();
    this.#connection = connection;
    connection.catch(() => {
      if (this.#connection === connection) this.#connection = null;
    });
    return connection;
  }

  /** The process that is there, or a new one that knows everything. */
  async #open(): Promise<Socket> {
    const adopted = await this.#adopt();
    const connection = adopted ?? (await this.#start());
    if (!adopted) {
      this.#listen(connection);
      await this.#expect(connection, { hello: true });
      await this.#expect(connection, { sync: this.#options.running() });
    }
    this.#current = connection;
    return connection;
  }

  /** The process that is there; null: there is none, or it is leaving. */
  async #adopt(): Promise<Socket | null> {
    const connection = await connectTo(this.socket);
    if (!connection) return null;
    this.#listen(connection);
    try {
      await this.#expect(connection, { hello: true });
      return connection;
    } catch {
      // Without containers and without an engine it goes; one of the two came a moment too late.
      return null;
    }
  }

  async #start(): Promise<Socket> {
    const [program, ...prefix] = selfCommand() as [string, ...string[]];
    const child = spawn(program, [...prefix, '--resolver', this.socket, this.#options.containers], {
      stdio: ['ignore', 'pipe', 'ignore'],
      detached: true,
      cwd: '/',
      env: { ...process.env, ...singleThreaded },
    });
    child.unref();
    try {
      await Promise.race([
        once(child.stdout, 'data', { signal: AbortSignal.timeout(startDeadline) }),
        once(child, 'exit').then(([code]) => Promise.reject(new Error(`the resolver ended with ${code}`))),
      ]);
    } finally {
      child.stdout.destroy();
    }
    const connection = await connectTo(this.socket);
    if (!connection) throw new Error('the resolver does not answer');
    return connection;
  }

  #listen(connection: Socket): void {
    let rest = '';
    connection.setEncoding('utf8');
    connection.on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() as string;
      for (const line of lines) this.#answered(JSON.parse(line) as ResolverReply);
    });
    connection.on('error', () => connection.destroy());
    connection.on('close', () => this.#lost(connection));
  }

  #answered(reply: ResolverReply): void {
    const n = 'done' in reply ? reply.done : reply.failed;
    const waiting = this.#waiting.get(n);
    this.#waiting.delete(n);
    if ('done' in reply) waiting?.resolve();
    else if (waiting) waiting.reject(new Error(reply.message));
    else this.#options.report('resolver', new Error(reply.message));
  }

  /** The process ended. Containers that run need another one. */
  #lost(connection: Socket): void {
    for (const waiting of this.#waiting.values()) waiting.reject(new Error('the resolver ended'));
    this.#waiting.clear();
    if (this.#current !== connection) return;
    this.#current = null;
    this.#connection = null;
    if (this.#isClosing || this.#options.running().length === 0) return;
    this.#options.report('names', new Error('the resolver ended; another one takes its place'));
    this.#quietly('start the resolver again', this.#connect());
  }

  async #exists(): Promise<boolean> {
    if (this.#connection) return true;
    const connection = await connectTo(this.socket);
    connection?.destroy();
    return connection !== null;
  }

  /** Those of other versions; this one has taken over from them by now. */
  async #replaceOthers(): Promise<void> {
    for (const name of await readdir(this.#options.directory)) {
      if (!resolverSocketPattern.test(name) || name === resolverSocketName) continue;
      const other = await connectTo(join(this.#options.directory, name));
      other?.on('error', () => other.destroy());
      other?.end(`${JSON.stringify({ n: 1, quit: true })}\n`);
    }
  }

  #quietly(what: string, work: Promise<unknown>): void {
    work.catch((error: unknown) => {
      if (!this.#isClosing) this.#options.report(what, new Error(errorMessage(error)));
    });
  }
}

/** Null: nobody listens. */
async function connectTo(path: string): Promise<Socket | null> {
  const connection = createConnection(path);
  try {
    await once(connection, 'connect');
    return connection;
  } catch {
    // No such file, or the rest of a process that is gone.
    connection.destroy();
    return null;
  }
}
