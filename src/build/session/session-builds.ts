/** Builds of our own command line: `POST /berth/v1/build`. */

import { mkdir, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { BerthError, errorKind, errorMessage } from '../../api/errors.ts';
import type { BuildEvent, BuildFailure, BuildResult, BuildStart } from '../../api/types/build.ts';
import type { ImageStore } from '../../store/image-store.ts';
import type { Lease } from '../../store/types.ts';
import { buildFrame, decodeBuildJson } from '../../wire/build-frames.ts';
import { BuildError } from '../build-error.ts';
import type { BuildClient, Built } from '../build-work.ts';
import type { Builder } from '../builder.ts';
import { contextClient } from '../classic.ts';
import { Results, type ResultsOptions } from '../export/results.ts';
import type { RemoteFiles } from '../ops/values.ts';
import { channelFolders } from './channel-folders.ts';
import { BuildChannels } from './channels.ts';
import type { ContextStore } from './context-store.ts';
import type { FileSource } from './file-source.ts';
import type { TreeAttributes } from './layered-files.ts';

export interface SessionBuildsOptions {
  builder: Builder;
  store: ImageStore;
  contexts: ContextStore;
  remote: RemoteFiles;
  attributes: TreeAttributes;
  /** A short path in memory, for sockets. */
  socketDirectory: string;
  save: ResultsOptions['save'];
}

/** The longest secret that Docker's clients send. */
const longestSecret = 500 * 1024;

export class SessionBuilds {
  readonly #options: SessionBuildsOptions;
  readonly #results: Results;

  constructor(options: SessionBuildsOptions) {
    this.#options = options;
    this.#results = new Results(options);
  }

  /** Serves one build on a connection that has left HTTP behind; resolves at its end. */
  async serve(socket: Duplex): Promise<void> {
    const channels = new BuildChannels(socket);
    try {
      const start = decodeBuildJson(await channels.start()) as BuildStart;
      const result = await this.#build(start, channels);
      await channels.send(buildFrame.result, result);
    } catch (error) {
      await channels.send(buildFrame.failure, failureOf(error));
    } finally {
      socket.end();
    }
  }

  async #build(start: BuildStart, channels: BuildChannels): Promise<BuildResult> {
    const { store, builder } = this.#options;
    const lease = await store.lease('context');
    const release: (() => void | Promise<void>)[] = [];
    try {
      const client = await this.#client(start, { channels, lease, release });
      const event = (one: BuildEvent): void => void channels.send(buildFrame.event, one);
      const work = { signal: channels.signal, auths: start.auths, event };
      if (start.call !== undefined && start.call !== 'build')
        return { imageId: '', report: await builder.report(start.call, start.options, { ...work, client, lease }) };
      return await builder.build(start.options, client, {
        ...work,
        use: (built) => this.#export(start, built, channels),
      });
    } finally {
      for (const one of release.toReversed()) await one();
      await lease.release();
    }
  }

  async #client(
    start: BuildStart,
    work: { channels: BuildChannels; lease: Lease; release: (() => void | Promise<void>)[] },
  ): Promise<BuildClient> {
    const { channels, lease } = work;
    const path = start.options.dockerfile || 'Dockerfile';
    const own = {
      slot: start.place,
      secret: (id: string) => channels.whole({ kind: 'secret', id }, longestSecret),
      sshAgent: (id: string) => this.#agent(id, work),
      folders: channelFolders(channels),
    };
    const files = (name: string, context: Parameters<BuildClient['files']>[1]): Promise<FileSource> =>
      this.#received(name, start, { ...work, status: context.status });
    if (start.context.kind === 'files') {
      const { dockerfile } = start;
      if (!dockerfile) throw new BerthError('invalid', 'the build has no Dockerfile');
      return { ...own, ignored: start.ignored ?? [], dockerfile: () => Promise.resolve(dockerfile), files };
    }
    const context = start.context.kind === 'tar' ? channels.stream({ kind: 'tar', context: 'context' }) : null;
    const base = await contextClient(
      { store: this.#options.store, remote: this.#options.remote },
      {
        path,
        remote: start.context.kind === 'remote' ? start.context.url : '',
        context,
        dockerfile: start.dockerfile ?? undefined,
      },
      { lease, signal: channels.signal },
    );
    return {
      ...own,
      ...(base.contextDigest && { contextDigest: base.contextDigest }),
      dockerfile: () => base.dockerfile(),
      files: (name, what) => (name === 'context' ? base.files(name, what) : files(name, what)),
    };
  }

  /** A folder of the client. */
  async #received(
    name: string,
    start: BuildStart,
    work: {
      channels: BuildChannels;
      release: (() => void | Promise<void>)[];
      status: (text: string, current?: number, total?: number) => void;
    },
  ): Promise<FileSource> {
    const { channels } = work;
    const { files, release } = await this.#options.contexts.receive(
      `${start.place} ${name} ${start.options.dockerfile}`,
      {
        list: () => channels.ask({ kind: 'list', context: name }).read(),
        contents: (numbers) =>
          channels
            .ask(
              { kind: 'files', context: name },
              new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength),
            )
            .read(),
      },
      work.status,
    );
    work.release.push(release);
    return files;
  }

  /** A socket whose connections lead to the client's agent; null: it has none of this name. */
  async #agent(
    id: string,
    { channels, release }: { channels: BuildChannels; release: (() => void | Promise<void>)[] },
  ): Promise<string | null> {
    const known = await channels.whole({ kind: 'ssh', id: `?${id}` }, 1024);
    if (known === null) return null;
    const directory = this.#options.socketDirectory;
    await mkdir(directory, { recursive: true, mode: 0o711 });
    const path = join(directory, `ssh-${crypto.randomUUID().slice(0, 8)}`);
    const server = createServer((connection) => {
      const answer = channels.ask({ kind: 'ssh', id });
      connection.on('data', (bytes: Buffer) => void answer.write(bytes));
      connection.on('end', () => void answer.end());
      connection.on('error', () => void answer.end()); // a program that broke off
      void (async () => {
        try {
          for await (const bytes of answer.read()) connection.write(bytes);
        } catch {
          // the client's agent is gone: so is the connection
        }
        connection.end();
      })();
    });
    await listening(server, path);
    release.push(async () => {
      server.close();
      await rm(path, { force: true });
    });
    return path;
  }

  #export(start: BuildStart, built: Built, channels: BuildChannels): Promise<BuildResult> {
    return this.#results.export(start, built, {
      tell: (event) => void channels.send(buildFrame.event, event),
      signal: channels.signal,
      send: async (output, bytes) => {
        const answer = channels.ask({ kind: 'output', output });
        for await (const part of bytes) await answer.write(part);
        await answer.end();
        // The client says when it has everything.
        for await (const _ of answer.read());
      },
    });
  }
}

async function listening(server: Server, path: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(path, resolve);
  await promise;
}

function failureOf(error: unknown): BuildFailure {
  return {
    kind: errorKind(error),
    message: errorMessage(error),
    excerpt: error instanceof BuildError ? error.excerpt : '',
    hint: error instanceof BerthError ? (error.hint ?? '') : '',
  };
}
