/** Frames of the shim's protocol: u32 payload length, u16 type, u16 request number, payload; little endian. */
import { protocol } from './protocol.ts';

export interface Frame {
  type: number;
  request: number;
  payload: Buffer;
}

export function encodeFrame(type: number, payload: Buffer, request = 0): Buffer {
  const frame = Buffer.allocUnsafe(protocol.headerSize + payload.length);
  frame.writeUInt32LE(payload.length, 0);
  frame.writeUInt16LE(type, 4);
  frame.writeUInt16LE(request, 6);
  payload.copy(frame, protocol.headerSize);
  return frame;
}

/** Cuts a stream of bytes into frames. */
export class FrameReader {
  #rest: Buffer = Buffer.alloc(0);

  /** Takes the next bytes and gives the frames that they complete. Throws on a payload beyond the protocol's limit. */
  push(chunk: Buffer): Frame[] {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const frames: Frame[] = [];
    while (bytes.length >= protocol.headerSize) {
      const length = bytes.readUInt32LE(0);
      if (length > protocol.maxPayload) throw new Error(`shim protocol: a payload of ${length} bytes`);
      const end = protocol.headerSize + length;
      if (bytes.length < end) break;
      frames.push({
        type: bytes.readUInt16LE(4),
        request: bytes.readUInt16LE(6),
        payload: bytes.subarray(protocol.headerSize, end),
      });
      bytes = bytes.subarray(end);
    }
    this.#rest = bytes;
    return frames;
  }
}

/** An id as 64 bytes, padded with zeros; null is the container itself. */
export function encodeId(id: string | null): Buffer {
  const bytes = Buffer.alloc(protocol.idSize);
  if (id !== null) bytes.write(id, 'latin1');
  return bytes;
}

export function decodeId(payload: Buffer): string {
  const end = payload.subarray(0, protocol.idSize).indexOf(0);
  return payload.toString('latin1', 0, end < 0 ? protocol.idSize : end);
}

/** Nanoseconds since 1970 as a date; below the millisecond is lost. */
export function decodeTime(payload: Buffer, offset: number): Date {
  return new Date(Number(payload.readBigUInt64LE(offset) / 1_000_000n));
}
