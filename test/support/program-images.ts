/** Images of real programs: test/e2e/programs/NAME/Dockerfile, each built by the client that then runs it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'bun';
import { debianPatience, loadDebian } from './debian-image.ts';
import { startEngine, type TestEngine } from './engine.ts';
import { repository } from './repository.ts';
import { until } from './until.ts';
import { type ClientName, UserShell } from './user-shell.ts';

const contexts = join(repository, 'test/e2e/programs');

export interface ProgramImage {
  client: ClientName;
  /** Further words of `build`. */
  flags?: readonly string[];
}

/** An engine of its own with the images `program/NAME`. */
export class ProgramImages {
  readonly engine: TestEngine;
  /** For what a test writes. */
  readonly folder = mkdtempSync(join(tmpdir(), 'berth-programs-'));
  readonly #images: Record<string, ProgramImage>;
  readonly #built = new Map<string, Promise<string>>();

  private constructor(engine: TestEngine, images: Record<string, ProgramImage>) {
    this.engine = engine;
    this.#images = images;
  }

  /** Starts all builds at the same time and comes back when the last has ended. One that failed is told by `shell`. */
  static async build(images: Record<string, ProgramImage>): Promise<ProgramImages> {
    const programs = new ProgramImages(await startEngine(), images);
    try {
      await loadDebian(programs.engine);
    } catch (error) {
      await programs.engine.abandon();
      throw error;
    }
    for (const [name, image] of Object.entries(images)) programs.#built.set(name, programs.#build(name, image));
    await Promise.allSettled(programs.#built.values());
    return programs;
  }

  /** A shell with the client that built the program. */
  async shell(name: string): Promise<UserShell> {
    await this.#built.get(name);
    return new UserShell(() => this.engine, (this.#images[name] as ProgramImage).client, this.folder);
  }

  /** After a test: takes its containers and networks away. */
  async clear(): Promise<void> {
    await this.engine.removeContainers();
    await this.engine.request('POST', '/networks/prune');
  }

  async cleanUp(): Promise<void> {
    rmSync(this.folder, { recursive: true, force: true });
    await this.engine.cleanUp();
  }

  async #build(name: string, { client, flags = [] }: ProgramImage): Promise<string> {
    const words = ['build', '-t', `program/${name}`, ...flags, join(contexts, name)];
    const options = { timeout: debianPatience, env: { DOCKER_BUILDKIT: '0' } };
    const { code, stdout, stderr } = await (client === 'berth'
      ? this.engine.berthWith(options, ...words)
      : this.engine.dockerWith(options, ...words));
    if (code !== 0) throw new Error(`${client} ${words.join(' ')}: exit code ${code}\n${stdout}${stderr}`);
    return stdout;
  }
}

/** Where a container's port is published on this host. */
export async function published(shell: UserShell, container: string, port: number): Promise<number> {
  const shown = await shell.type(`$D port ${container} ${port}`);
  return Number(shown.split('\n')[0]?.split(':').at(-1));
}

/**
 * What a server on this host says to `request`, up to what matches `end`. Asks until there is such an answer: the server may
 * only just have been started.
 */
export async function converse(port: number, request: string, end: RegExp): Promise<string> {
  return await until(`an answer to ${JSON.stringify(request)} from port ${port}`, async () => {
    const conversation = Promise.withResolvers<string>();
    let answer = '';
    const socket = await connect({
      hostname: '127.0.0.1',
      port,
      socket: {
        open: (it) => void it.write(request),
        data: (_, bytes) => {
          answer += bytes.toString('latin1');
          if (end.test(answer)) conversation.resolve(answer);
        },
        close: () => conversation.reject(new Error(`it ended after ${JSON.stringify(answer)}`)),
        error: (_, error) => conversation.reject(error),
      },
    });
    const patience = setTimeout(() => conversation.reject(new Error(`only ${JSON.stringify(answer)}`)), 2000);
    try {
      return await conversation.promise;
    } finally {
      clearTimeout(patience);
      socket.end();
    }
  });
}
