/** The client's end of `POST /berth/v1/build`. */
import { BerthError, type ErrorKind } from '../../api/errors.ts';
import type { BuildEvent, BuildFailure, BuildResult, BuildStart } from '../../api/types/build.ts';
import {
  BuildFrameDecoder,
  type BuildQuestion,
  buildFrame,
  contextLine,
  decodeBuildJson,
  encodeBuildFrame,
  encodeBuildJson,
  type Frame,
} from '../../wire/build-frames.ts';
import type { Client, HijackedStream } from '../client.ts';
import type { CacheFolder } from './cache-folder.ts';
import type { ContextFiles } from './context-files.ts';

/** A stream of bytes both ways, such as an agent's socket. */
export interface Pipe {
  read(): AsyncIterable<Uint8Array>;
  write(bytes: Uint8Array): Promise<void>;
  end(): void;
}

/** What a build may ask its client for. */
export interface BuildProvider {
  event(event: BuildEvent): void;
  /** Null: there is no context of this name. */
  files(name: string): Promise<ContextFiles | null>;
  /** The context as a tar. */
  tar(): AsyncIterable<Uint8Array>;
  secret(id: string): Promise<Uint8Array | null>;
  /** A connection to an agent; null: none of this name was given. */
  ssh(id: string): Promise<Pipe | null>;
  /** Null: the build reads no cache of this number from a folder of this machine. */
  cacheFrom(number: number): CacheFolder | null;
  /** Null: it writes none. */
  cacheTo(number: number): { folder: CacheFolder; tag: string } | null;
  /** Takes the bytes of an output; resolves when they are where they belong. */
  output(number: number, bytes: AsyncIterable<Uint8Array>): Promise<void>;
}

/** A build that failed, with the lines of the Dockerfile that it is about. */
export class BuildFailed extends BerthError {
  readonly excerpt: string;

  constructor({ kind, message, excerpt, hint }: BuildFailure) {
    super(kind as ErrorKind, message, hint === '' ? {} : { hint });
    this.excerpt = excerpt;
  }
}

const nothing = new Uint8Array(0);
const piece = 256 * 1024;

/** Builds. Errors: `BuildFailed`; `unavailable` when the engine goes away. */
export async function runBuild(client: Client, start: BuildStart, provider: BuildProvider): Promise<BuildResult> {
  const stream = await client.hijack({ method: 'POST', path: '/berth/v1/build' });
  const session = new BuildSession(stream, provider);
  try {
    return await session.run(start);
  } finally {
    stream.close();
  }
}

/** What comes on one channel after its question. */
class Incoming {
  readonly #pieces: Uint8Array[] = [];
  #ended = false;
  #wake: (() => void) | null = null;

  take(frame: Frame): void {
    if (frame.kind === buildFrame.data) this.#pieces.push(frame.payload.slice());
    else this.#ended = true;
    this.#wake?.();
  }

  async *read(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const next = this.#pieces.shift();
      if (next) yield next;
      else if (this.#ended) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  get waiting(): number {
    return this.#pieces.length;
  }

  /** Resolves when not much is waiting any more. */
  async room(): Promise<void> {
    while (this.#pieces.length > 16) await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

class BuildSession {
  readonly #stream: HijackedStream;
  readonly #provider: BuildProvider;
  readonly #incoming = new Map<number, Incoming>();
  #writing: Promise<void> = Promise.resolve();

  constructor(stream: HijackedStream, provider: BuildProvider) {
    this.#stream = stream;
    this.#provider = provider;
  }

  async run(start: BuildStart): Promise<BuildResult> {
    await this.#send(encodeBuildJson(buildFrame.start, 0, start));
    const decoder = new BuildFrameDecoder();
    for (let bytes = await this.#stream.read(); bytes !== null; bytes = await this.#stream.read()) {
      for (const frame of decoder.push(bytes)) {
        const result = await this.#take(frame);
        if (result) return result;
      }
    }
    throw new BerthError('unavailable', 'the connection to the engine broke off');
  }

  /** The result, once it comes. */
  async #take(frame: Frame): Promise<BuildResult | null> {
    switch (frame.kind) {
      case buildFrame.event:
        this.#provider.event(decodeBuildJson(frame) as BuildEvent);
        return null;
      case buildFrame.ask: {
        const incoming = new Incoming();
        this.#incoming.set(frame.channel, incoming);
        const question = decodeBuildJson(frame) as BuildQuestion;
        void this.#answer(frame.channel, question, incoming);
        return null;
      }
      case buildFrame.data:
      case buildFrame.end: {
        const incoming = this.#incoming.get(frame.channel);
        incoming?.take(frame);
        await incoming?.room();
        return null;
      }
      case buildFrame.result:
        return decodeBuildJson(frame) as BuildResult;
      case buildFrame.failure:
        throw new BuildFailed(decodeBuildJson(frame) as BuildFailure);
      default:
        return null;
    }
  }

  async #answer(channel: number, question: BuildQuestion, incoming: Incoming): Promise<void> {
    try {
      await this.#content(channel, question, incoming);
      await this.#send(encodeBuildFrame(buildFrame.end, channel, nothing));
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      await this.#send(encodeBuildFrame(buildFrame.refuse, channel, new TextEncoder().encode(text))).catch(
        () => undefined,
      ); // the reader sees the break
    }
  }

  async #content(channel: number, question: BuildQuestion, incoming: Incoming): Promise<void> {
    const { files, secret, ssh, tar, output } = bound(this.#provider);
    switch (question.kind) {
      case 'list':
        return this.#sendAll(channel, lines(given(await files(question.context), `context ${question.context}`)));
      case 'files': {
        const parts: Uint8Array[] = [];
        for await (const bytes of incoming.read()) parts.push(bytes);
        const raw = new Uint8Array(Buffer.concat(parts));
        const numbers = new Uint32Array(raw.buffer, 0, raw.length / 4);
        return this.#sendAll(channel, given(await files(question.context), question.context).contents(numbers));
      }
      case 'tar':
        return this.#sendAll(channel, tar());
      case 'secret':
        return this.#sendAll(channel, [given(await secret(question.id), `secret ${question.id}`)]);
      case 'ssh': {
        const asks = question.id.startsWith('?');
        const pipe = given(await ssh(asks ? question.id.slice(1) : question.id), `ssh ${question.id}`);
        if (asks) {
          pipe.end();
          return;
        }
        void (async () => {
          for await (const bytes of incoming.read()) await pipe.write(bytes);
          pipe.end();
        })();
        return this.#sendAll(channel, pipe.read());
      }
      case 'output':
        return output(question.output, incoming.read());
      default:
        return this.#cache(channel, question, incoming);
    }
  }

  async #cache(
    channel: number,
    question: Extract<BuildQuestion, { cache: number }>,
    incoming: Incoming,
  ): Promise<void> {
    const { cache } = question;
    const what = `cache ${cache}`;
    if (question.kind === 'cache-read') {
      const folder = given(this.#provider.cacheFrom(cache), what);
      return this.#sendAll(channel, folder.read(question.digest));
    }
    const { folder, tag } = given(this.#provider.cacheTo(cache), what);
    if (question.kind === 'cache-write') return folder.write(question.digest, incoming.read());
    if (question.kind === 'cache-name') return folder.name(tag, question.manifest);
    if (!(await folder.has(question.digest))) throw new Error(`${question.digest}: not found`);
  }

  async #sendAll(channel: number, bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<void> {
    for await (const part of bytes)
      for (let at = 0; at < part.length; at += piece)
        await this.#send(encodeBuildFrame(buildFrame.data, channel, part.subarray(at, at + piece)));
  }

  /** One frame after another. */
  #send(bytes: Uint8Array): Promise<void> {
    this.#writing = this.#writing.then(() => this.#stream.write(bytes));
    return this.#writing;
  }
}

function bound(provider: BuildProvider) {
  return {
    files: provider.files.bind(provider),
    secret: provider.secret.bind(provider),
    ssh: provider.ssh.bind(provider),
    tar: provider.tar.bind(provider),
    output: provider.output.bind(provider),
  };
}

function given<T>(value: T | null, what: string): T {
  if (value === null) throw new Error(`${what}: not found`);
  return value;
}

async function* lines(files: ContextFiles): AsyncGenerator<Uint8Array> {
  let text = '';
  for (const entry of await files.entries()) {
    text += `${contextLine(entry)}\n`;
    if (text.length < piece) continue;
    yield Buffer.from(text, 'latin1');
    text = '';
  }
  yield Buffer.from(text, 'latin1');
}
