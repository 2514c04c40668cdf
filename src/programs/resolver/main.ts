/**
 * `berth --resolver <socket> <containers>`: the names of an engine's containers. It outlives the engine and is adopted by the next one; without
 * an engine it watches for the end of containers itself, and leaves after the last.
 */
import { chmodSync, existsSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { errorMessage } from '../../api/errors.ts';
import type { ResolverOpening, ResolverReply, ResolverRequest } from '../../engine/networks/names/resolver-protocol.ts';
import { lockFile } from '../../host/files/file-lock.ts';
import { answerFirst } from '../../host/process/priority.ts';
import { Resolver } from './resolver.ts';

/** Milliseconds between two looks for ended containers, while no engine tells of them. */
const watchInterval = 2000;

/** For the lock, in milliseconds: a resolver that leaves takes no longer. */
const retryInterval = 20;
const mostAttempts = 100;

interface Peer {
  /** Text behind the last whole line. */
  rest: string;
  decoder: TextDecoder;
  isEngine: boolean;
}

/** @param argv path of the socket to listen on, and the directory where each container has its own */
export async function main([path = '', containers = '']: string[]): Promise<void> {
  // Two engines of one exec root never start at once, but a resolver that is leaving may still be there.
  for (let attempt = 1; !lockFile(`${path}.lock`); attempt++) {
    if (attempt === mostAttempts) process.exit(1);
    await Bun.sleep(retryInterval);
  }
  answerFirst();
  const service = new Service(path, containers);
  service.listen();
  console.log('ready');
  for (const event of ['uncaughtException', 'unhandledRejection'] as const)
    process.on(event, (error: unknown) => service.complain(errorMessage(error)));
}

class Service {
  readonly #path: string;
  readonly #containers: string;
  readonly #resolver = new Resolver();
  readonly #engines = new Set<Bun.Socket<Peer>>();
  #watch: ReturnType<typeof setInterval> | null = null;

  constructor(path: string, containers: string) {
    this.#path = path;
    this.#containers = containers;
  }

  listen(): void {
    if (existsSync(this.#path)) unlinkSync(this.#path);
    Bun.listen<Peer>({
      unix: this.#path,
      socket: {
        open: (socket) => {
          socket.data = { rest: '', decoder: new TextDecoder(), isEngine: false };
        },
        data: (socket, chunk) => {
          const lines = (socket.data.rest + socket.data.decoder.decode(chunk, { stream: true })).split('\n');
          socket.data.rest = lines.pop() as string;
          for (const line of lines) this.#serve(socket, JSON.parse(line) as ResolverRequest | ResolverOpening);
        },
        close: (socket) => {
          if (this.#engines.delete(socket) && this.#engines.size === 0) this.#watchAlone();
        },
      },
    });
    chmodSync(this.#path, 0o600);
  }

  /** To the engine's log, if there is one. */
  complain(message: string): void {
    for (const engine of this.#engines) reply(engine, { failed: 0, message });
  }

  #serve(socket: Bun.Socket<Peer>, request: ResolverRequest | ResolverOpening): void {
    if ('open' in request) {
      this.#resolver.open(request.open, { pid: request.pid, isFresh: true }).then(
        () => void socket.end('ok\n'),
        (error: unknown) => void socket.end(`${errorMessage(error)}\n`),
      );
      return;
    }
    this.#do(socket, request).then(
      () => reply(socket, { done: request.n }),
      (error: unknown) => reply(socket, { failed: request.n, message: errorMessage(error) }),
    );
  }

  async #do(socket: Bun.Socket<Peer>, request: ResolverRequest): Promise<void> {
    if ('put' in request) await this.#resolver.put(request.put);
    else if ('drop' in request) this.#resolver.drop(request.drop);
    else if ('sync' in request) await this.#resolver.sync(request.sync);
    else if ('quit' in request) this.#quit();
    else this.#adopted(socket);
  }

  #adopted(engine: Bun.Socket<Peer>): void {
    this.#engines.add(engine);
    if (this.#watch) clearInterval(this.#watch);
    this.#watch = null;
  }

  #watchAlone(): void {
    this.#watch ??= setInterval(() => this.#look(), watchInterval);
    this.#look();
  }

  /** A shim writes `exit` into the container's directory; a new engine or a boot removes the directory. */
  #look(): void {
    for (const id of this.#resolver.ids) {
      const directory = join(this.#containers, id);
      if (!existsSync(directory) || existsSync(join(directory, 'exit'))) this.#resolver.drop(id);
    }
    if (this.#resolver.ids.length === 0) this.#quit();
  }

  #quit(): never {
    for (const path of [this.#path, `${this.#path}.lock`]) if (existsSync(path)) unlinkSync(path);
    process.exit(0);
  }
}

function reply(socket: Bun.Socket<Peer>, message: ResolverReply): void {
  socket.write(`${JSON.stringify(message)}\n`);
}
