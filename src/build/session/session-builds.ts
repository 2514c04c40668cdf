/** Builds of our own command line: `POST /berth/v1/build`. */

import { mkdir, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import type { Duplex, Readable } from 'node:stream';
import { BerthError, errorKind, errorMessage } from '../../api/errors.ts';
import type { BuildEvent, BuildFailure, BuildResult, BuildStart } from '../../api/types/build.ts';
import type { ImageStore } from '../../store/image-store.ts';
import type { Lease } from '../../store/types.ts';
import { buildFrame, decodeBuildJson } from '../../wire/build-frames.ts';
import { BuildError } from '../build-error.ts';
import type { BuildClient, Builder, Built } from '../builder.ts';
import { contextClient } from '../classic.ts';
import { packSource } from '../ops/place-all.ts';
import { lowerOf, type RemoteFiles } from '../ops/values.ts';
import { BuildChannels } from './channels.ts';
import type { ContextStore } from './context-store.ts';
import type { FileSource } from './file-source.ts';
import { LayeredFiles, type TreeAttributes } from './layered-files.ts';

export interface SessionBuildsOptions {
  builder: Builder;
  store: ImageStore;
  contexts: ContextStore;
  remote: RemoteFiles;
  attributes: TreeAttributes;
  /** A short path in memory, for sockets. */
  socketDirectory: string;
  /** An image as an archive that holds both of Docker's and OCI's layouts. */
  save(id: string, names: readonly string[], signal: AbortSignal): Promise<Readable>;
}

/** The longest secret that Docker's clients send. */
const longestSecret = 500 * 1024;
/** The last line of the progress. */
const exportId = 'export';

export class SessionBuilds {
  readonly #options: SessionBuildsOptions;

  constructor(options: SessionBuildsOptions) {
    this.#options = options;
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

  async #export(start: BuildStart, built: Built, channels: BuildChannels): Promise<BuildResult> {
    const { builder } = this.#options;
    const storing = start.outputs.length === 0 || start.outputs.some(({ type }) => type !== 'tar');
    const tell = (event: BuildEvent): void => void channels.send(buildFrame.event, event);
    tell({
      type: 'vertices',
      vertices: [{ id: exportId, name: storing ? 'exporting to image' : 'exporting to client' }],
    });
    tell({ type: 'started', id: exportId, time: Date.now() });
    const result = storing ? await builder.storeImage(built, start.options.tags) : { imageId: '', references: [] };
    if (storing)
      for (const text of [`writing image ${result.imageId}`, ...result.references.map((name) => `naming to ${name}`)])
        tell({ type: 'status', id: exportId, text });
    for (const [number, output] of start.outputs.entries()) {
      if (output.type === 'image') continue;
      const answer = channels.ask({ kind: 'output', output: number });
      for await (const bytes of await this.#content(output.type, { built, result, start, channels }))
        await answer.write(bytes);
      await answer.end();
      // The client says when it has everything.
      for await (const _ of answer.read());
    }
    tell({ type: 'done', id: exportId, time: Date.now(), cached: false, reasons: [] });
    return { imageId: result.imageId };
  }

  async #content(
    type: 'tar' | 'docker' | 'oci',
    what: { built: Built; result: BuildResult; start: BuildStart; channels: BuildChannels },
  ): Promise<AsyncIterable<Uint8Array>> {
    const { built, result, start, channels } = what;
    if (type !== 'tar') return this.#options.save(result.imageId, start.options.tags, channels.signal);
    const files = new LayeredFiles({ layers: await lowerOf(built.main.layers), attributes: this.#options.attributes });
    return packSource(files, '/', channels.signal);
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
