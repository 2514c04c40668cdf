/** The server's side of a WebSocket (RFC 6455) as a byte stream: messages carry bytes, their borders mean nothing. No extensions. */
import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { BerthError } from '../../api/errors.ts';

const keySuffix = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** The handshake's answer to a key. */
export function acceptKey(key: string): string {
  return createHash('sha1').update(`${key}${keySuffix}`).digest('base64');
}

/** The key of a handshake. Error: `invalid` in dockerd's words. */
export function handshakeKey(headers: ReadonlyMap<string, string>): string {
  const key = headers.get('sec-websocket-key');
  if (headers.get('upgrade')?.toLowerCase() !== 'websocket' || key === undefined)
    throw new BerthError('invalid', 'not websocket protocol');
  if (headers.get('sec-websocket-version') !== '13')
    throw new BerthError('invalid', 'missing or bad WebSocket Version');
  return key;
}

const continuation = 0;
const text = 1;
const binary = 2;
const close = 8;
const ping = 9;
const pong = 10;

/** Frames of a client beyond this are refused: input of a terminal or a pipe comes in small ones. */
const maximumFrame = 16 * 1024 * 1024;

/** Bytes of one frame; a server's frames are not masked. */
function encode(operation: number, payload: Uint8Array): Buffer {
  const { length } = payload;
  const extended = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const frame = Buffer.allocUnsafe(2 + extended + length);
  frame[0] = 0x80 | operation;
  if (extended === 0) frame[1] = length;
  else if (extended === 2) {
    frame[1] = 126;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = 127;
    frame.writeBigUInt64BE(BigInt(length), 2);
  }
  frame.set(payload, 2 + extended);
  return frame;
}

interface Frame {
  operation: number;
  payload: Buffer;
  /** Bytes of the input that it took. */
  size: number;
}

/** The first frame of `input`; where not all of it is there, how many bytes to come back with. Error: what no client may send. */
function decode(input: Buffer): Frame | number {
  if (input.length < 2) return 2;
  const first = input[0] as number;
  const second = input[1] as number;
  if ((first & 0x70) !== 0 || (second & 0x80) === 0) throw new Error('protocol error');
  let length = second & 0x7f;
  let position = 2;
  if (length === 126) {
    if (input.length < 4) return 4;
    length = input.readUInt16BE(2);
    position = 4;
  } else if (length === 127) {
    if (input.length < 10) return 10;
    const long = input.readBigUInt64BE(2);
    if (long > BigInt(maximumFrame)) throw new Error('frame too large');
    length = Number(long);
    position = 10;
  }
  if (length > maximumFrame) throw new Error('frame too large');
  const size = position + 4 + length;
  if (input.length < size) return size;
  const mask = input.subarray(position, position + 4);
  const payload = Buffer.from(input.subarray(position + 4, size));
  for (let index = 0; index < length; index++)
    payload[index] = (payload[index] as number) ^ (mask[index & 3] as number);
  return { operation: first & 0x0f, payload, size };
}

/**
 * The stream over a socket whose handshake is done. Reading gives the client's bytes and ends with its close frame; ending sends ours.
 * @param asText frames are marked as text (clients before 1.28)
 */
export function websocketStream(socket: Socket, asText: boolean): Duplex {
  // Pieces are joined when there is enough of them for the next step, so that a large frame is not copied with each.
  let pieces: Buffer[] = [];
  let held = 0;
  let wanted = 2;
  const operation = asText ? text : binary;
  const take = (frame: Frame): void => {
    if (frame.operation === ping) socket.write(encode(pong, frame.payload));
    else if (frame.operation === close) stream.push(null);
    else if (frame.operation === continuation || frame.operation === text || frame.operation === binary) {
      if (frame.payload.length > 0 && !stream.push(frame.payload)) socket.pause();
    } else if (frame.operation !== pong) throw new Error('protocol error');
  };
  const stream = new Duplex({
    allowHalfOpen: true,
    read: () => void socket.resume(),
    write(chunk: Buffer, _encoding, done) {
      if (!socket.writable || socket.write(encode(operation, chunk))) done();
      else {
        const go = (): void => {
          socket.off('drain', go);
          socket.off('close', go);
          done();
        };
        socket.on('drain', go);
        socket.on('close', go);
      }
    },
    final(done) {
      // 1000: a normal end.
      if (socket.writable) socket.end(encode(close, Buffer.from([0x03, 0xe8])));
      done();
    },
    destroy(error, done) {
      socket.destroy();
      done(error);
    },
  });
  socket.on('data', (chunk: Buffer) => {
    pieces.push(chunk);
    held += chunk.length;
    if (held < wanted) return;
    let pending: Buffer = Buffer.concat(pieces);
    try {
      let frame = decode(pending);
      for (; typeof frame !== 'number' && !stream.readableEnded; frame = decode(pending)) {
        pending = pending.subarray(frame.size);
        take(frame);
      }
      pieces = [pending];
      held = pending.length;
      wanted = typeof frame === 'number' ? frame : 0;
    } catch (error) {
      stream.destroy(error as Error);
    }
  });
  socket.on('end', () => stream.push(null));
  socket.on('error', () => {});
  socket.once('close', () => stream.destroy());
  if (socket.destroyed) stream.destroy();
  return stream;
}
