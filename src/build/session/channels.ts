/** The engine's end of a build's connection: questions to the client, each on a channel of its own. */
import { type Duplex, Readable } from 'node:stream';
import { BerthError } from '../../api/errors.ts';
import { collectWithin } from '../../base/collect-within.ts';
import {
  BuildFrameDecoder,
  type BuildQuestion,
  buildFrame,
  encodeBuildFrame,
  encodeBuildJson,
  type Frame,
} from '../../wire/build-frames.ts';

/** What the client says on one channel. */
class Channel {
  readonly #pieces: Buffer[] = [];
  #end: 'open' | 'ended' | Error = 'open';
  #wake: (() => void) | null = null;

  take(frame: Frame): void {
    if (frame.kind === buildFrame.data) this.#pieces.push(Buffer.from(frame.payload));
    else if (frame.kind === buildFrame.end) this.#end = 'ended';
    else this.#end = new BerthError('not-found', Buffer.from(frame.payload).toString());
    this.#wake?.();
  }

  fail(error: Error): void {
    if (this.#end === 'open') this.#end = error;
    this.#wake?.();
  }

  get waiting(): number {
    return this.#pieces.reduce((sum, piece) => sum + piece.length, 0);
  }

  /** @param taken called when pieces have been taken */
  async *read(taken: () => void): AsyncGenerator<Buffer> {
    for (;;) {
      const piece = this.#pieces.shift();
      if (piece) {
        taken();
        yield piece;
        continue;
      }
      if (this.#end instanceof Error) throw this.#end;
      if (this.#end === 'ended') return;
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
    }
  }
}

/** More than this waits in no channel: the connection is not read meanwhile. */
const mostWaiting = 4 * 1024 * 1024;

/** A question's answer, and a way to say more on its channel. */
export interface Answer {
  /** Error: `not-found` where the client has no such thing; `cancelled` when it leaves. */
  read(): AsyncGenerator<Buffer>;
  write(bytes: Uint8Array): Promise<void>;
  end(): Promise<void>;
}

export class BuildChannels {
  readonly #socket: Duplex;
  readonly #channels = new Map<number, Channel>();
  readonly #started = Promise.withResolvers<Frame>();
  readonly #abort = new AbortController();
  #next = 1;

  constructor(socket: Duplex) {
    this.#socket = socket;
    this.#started.promise.catch(() => undefined); // whoever waits for it hears of it
    const decoder = new BuildFrameDecoder();
    socket.on('data', (chunk: Buffer) => {
      try {
        for (const frame of decoder.push(chunk)) this.#take(frame);
      } catch (error) {
        this.#broken(error as Error);
        socket.destroy();
      }
    });
    socket.on('error', (error) => this.#broken(error));
    socket.on('end', () => this.#broken(new BerthError('cancelled', 'context canceled')));
    socket.on('close', () => this.#broken(new BerthError('cancelled', 'context canceled')));
    socket.resume();
  }

  /** Aborts when the client leaves. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** The first frame. */
  start(): Promise<Frame> {
    return this.#started.promise;
  }

  /** @param more sent behind the question on its channel, and ended */
  ask(question: BuildQuestion, more?: Uint8Array): Answer {
    this.#abort.signal.throwIfAborted();
    const id = this.#next++;
    const channel = new Channel();
    this.#channels.set(id, channel);
    void this.#write(encodeBuildJson(buildFrame.ask, id, question));
    if (more) {
      void this.#write(encodeBuildFrame(buildFrame.data, id, more));
      void this.#write(encodeBuildFrame(buildFrame.end, id, new Uint8Array(0)));
    }
    return {
      read: () => channel.read(() => this.#relieve()),
      write: (bytes) => this.#write(encodeBuildFrame(buildFrame.data, id, bytes)),
      end: () => this.#write(encodeBuildFrame(buildFrame.end, id, new Uint8Array(0))),
    };
  }

  /** The whole answer to a question; null: the client has no such thing. */
  async whole(question: BuildQuestion, limit: number): Promise<Buffer | null> {
    const tooLong = (): Error => new BerthError('too-large', 'the answer of the client is too long');
    try {
      return await collectWithin(this.ask(question).read(), limit, tooLong);
    } catch (error) {
      if (error instanceof BerthError && error.kind === 'not-found') return null;
      throw error;
    }
  }

  /** An answer as a stream. */
  stream(question: BuildQuestion): Readable {
    return Readable.from(this.ask(question).read(), { objectMode: false });
  }

  send(kind: number, value: unknown): Promise<void> {
    return this.#write(encodeBuildJson(kind, 0, value));
  }

  #take(frame: Frame): void {
    if (frame.kind === buildFrame.start) {
      this.#started.resolve({ ...frame, payload: Buffer.from(frame.payload) });
      return;
    }
    const channel = this.#channels.get(frame.channel);
    if (!channel) return;
    channel.take(frame);
    if (frame.kind !== buildFrame.data) this.#channels.delete(frame.channel);
    if (channel.waiting > mostWaiting) this.#socket.pause();
  }

  #relieve(): void {
    if (this.#socket.isPaused() && [...this.#channels.values()].every(({ waiting }) => waiting <= mostWaiting))
      this.#socket.resume();
  }

  #broken(error: Error): void {
    this.#started.reject(error);
    for (const channel of this.#channels.values()) channel.fail(error);
    this.#abort.abort(error);
  }

  /** Resolves when the client keeps up. */
  async #write(bytes: Uint8Array): Promise<void> {
    if (this.#socket.destroyed || this.#socket.write(bytes)) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#socket.once('drain', resolve);
    this.#socket.once('close', resolve);
    await promise;
    this.#socket.off('drain', resolve);
    this.#socket.off('close', resolve);
  }
}
