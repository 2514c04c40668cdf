/** Connections to a container's shim: the control connection with its requests and notices, and the sockets of streams. */
import { closeSync, openSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { BerthError } from '../api/errors.ts';
import { decodeId, decodeTime, encodeFrame, encodeId, type Frame, FrameReader } from './frames.ts';
import { protocol } from './protocol.ts';
import type { AttachRequest, ExitStatus } from './types.ts';

/** What a shim says unasked, in the order in which it said it. */
export type ShimNotice =
  | { type: 'started'; pid: number; startedAt: Date }
  | { type: 'failed'; stage: number; message: string }
  | { type: 'exited'; status: ExitStatus }
  | { type: 'out-of-memory' }
  | { type: 'cleaned' }
  | { type: 'exec-started'; execId: string; pid: number }
  | { type: 'exec-failed'; execId: string; message: string }
  | { type: 'exec-exited'; execId: string; code: number; exitedAt: Date }
  /** The connection is over; nothing comes after it. */
  | { type: 'closed' };

function versionPrefix(...rest: number[]): Buffer {
  return Buffer.from([protocol.version & 0xff, protocol.version >> 8, ...rest]);
}

/**
 * A path as the kernel takes it in a socket address, at most 107 bytes: through an open directory where it is longer.
 * Throws what `open` throws when it is long and the directory does not exist.
 */
function socketAddress(directory: string): { path: string; release(): void } {
  const path = `${directory}/shim.sock`;
  if (Buffer.byteLength(path) <= 107) return { path, release: () => undefined };
  const descriptor = openSync(directory, 'r');
  return { path: `/proc/self/fd/${descriptor}/shim.sock`, release: () => closeSync(descriptor) };
}

/** A half-open socket to the shim of `directory`. Errors end the socket; the user of the stream sees 'close'. */
function open(directory: string): Socket {
  const address = socketAddress(directory);
  const socket = connect({ path: address.path, allowHalfOpen: true });
  let released = false;
  const release = (): void => {
    if (!released) address.release();
    released = true;
  };
  socket.once('connect', release).once('close', release);
  // A shim ends a stream in both directions at once; without this the descriptor would stay open for the half that is left.
  socket.on('end', () => socket.end());
  // An error always comes with 'close', which everybody here waits for; unheard it would end the engine.
  socket.on('error', () => undefined);
  return socket;
}

function attachFlags(request: AttachRequest): number {
  return (
    (request.stdin ? protocol.attachStdin : 0) |
    (request.stdout ? protocol.attachStdout : 0) |
    (request.stderr ? protocol.attachStderr : 0)
  );
}

/** A socket that is the container's streams from its first byte on. `awaited`: one of `ShimSpec.attachments`. */
export function openAttach(directory: string, request: AttachRequest, awaited: boolean): Socket {
  const socket = open(directory);
  socket.write(encodeFrame(protocol.openAttach, versionPrefix(attachFlags(request), awaited ? 1 : 0)));
  return socket;
}

export interface ExecOpening {
  execId: string;
  attach: AttachRequest | null;
  terminal: boolean;
  rows: number;
  columns: number;
  /** The OCI process object as JSON. */
  process: string;
}

/** Asks for an exec; the socket is its streams, unless `attach` is null. */
export function openExec(directory: string, opening: ExecOpening): Socket {
  const flags = (opening.terminal ? protocol.execTerminal : 0) | (opening.attach ? 0 : protocol.execDetached);
  const head = Buffer.alloc(8);
  versionPrefix(opening.attach ? attachFlags(opening.attach) : 0, flags).copy(head);
  head.writeUInt16LE(opening.rows, 4);
  head.writeUInt16LE(opening.columns, 6);
  const payload = Buffer.concat([head, encodeId(opening.execId), Buffer.from(opening.process)]);
  if (payload.length > protocol.maxPayload) {
    throw new BerthError('invalid', 'the arguments and environment of the exec are too long');
  }
  const socket = open(directory);
  socket.write(encodeFrame(protocol.openExec, payload));
  return socket;
}

function decodeNotice({ type, payload }: Frame): ShimNotice | null {
  const text = (offset: number): string => payload.toString('utf8', offset);
  const afterId = protocol.idSize;
  switch (type) {
    case protocol.started:
      return { type: 'started', pid: payload.readUInt32LE(0), startedAt: decodeTime(payload, 4) };
    case protocol.failed:
      return { type: 'failed', stage: payload.readUInt8(0), message: text(1) };
    case protocol.exited: {
      const status = {
        code: payload.readUInt32LE(0),
        oomKilled: payload.readUInt8(4) !== 0,
        exitedAt: decodeTime(payload, 5),
      };
      return { type: 'exited', status };
    }
    case protocol.outOfMemory:
      return { type: 'out-of-memory' };
    case protocol.cleaned:
      return { type: 'cleaned' };
    case protocol.execStarted:
      return { type: 'exec-started', execId: decodeId(payload), pid: payload.readUInt32LE(afterId) };
    case protocol.execFailed:
      return { type: 'exec-failed', execId: decodeId(payload), message: text(afterId) };
    case protocol.execExited: {
      const code = payload.readUInt32LE(afterId);
      return { type: 'exec-exited', execId: decodeId(payload), code, exitedAt: decodeTime(payload, afterId + 4) };
    }
    default:
      return null; // a newer shim says more than this engine knows
  }
}

interface PendingRequest {
  resolve(): void;
  reject(error: Error): void;
}

export class ShimConnection {
  readonly #socket: Socket;
  readonly #reader = new FrameReader();
  readonly #pending = new Map<number, PendingRequest>();
  readonly #onNotice: (notice: ShimNotice) => void;
  #lastRequest = 0;
  #closed = false;

  /**
   * Connects at once; a shim that is not there shows as the notice `closed`.
   * @param starts true for the engine that starts the container, whose attached clients the shim waits for
   */
  constructor(directory: string, starts: boolean, onNotice: (notice: ShimNotice) => void) {
    this.#onNotice = onNotice;
    this.#socket = open(directory);
    this.#socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    this.#socket.on('end', () => this.#socket.destroy());
    this.#socket.on('close', () => this.#close());
    this.#socket.write(encodeFrame(protocol.openControl, versionPrefix(starts ? 1 : 0)));
  }

  /** Sends a request and waits for its answer. Errors: `not-found` where the process is gone, `internal` otherwise. */
  request(type: number, payload: Buffer): Promise<void> {
    if (this.#closed) return Promise.reject(new BerthError('not-found', 'the container is not running'));
    this.#lastRequest = (this.#lastRequest % 0xffff) + 1;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#pending.set(this.#lastRequest, { resolve, reject });
    this.#socket.write(encodeFrame(type, payload, this.#lastRequest));
    return promise;
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #receive(chunk: Buffer): void {
    for (const frame of this.#reader.push(chunk)) {
      if (frame.type === protocol.result) this.#answer(frame);
      else {
        const notice = decodeNotice(frame);
        if (notice) this.#onNotice(notice);
      }
    }
  }

  #answer({ request, payload }: Frame): void {
    const pending = this.#pending.get(request);
    this.#pending.delete(request);
    const code = payload.readUInt32LE(0);
    const noSuchProcess = 3;
    if (code === 0) pending?.resolve();
    else {
      const kind = code === noSuchProcess ? 'not-found' : 'internal';
      pending?.reject(new BerthError(kind, payload.toString('utf8', 4)));
    }
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const pending of this.#pending.values()) {
      pending.reject(new BerthError('not-found', 'the container is not running'));
    }
    this.#pending.clear();
    this.#onNotice({ type: 'closed' });
  }
}
