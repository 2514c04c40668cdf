/**
 * Docker's multiplexed stream: frames of an eight-byte head (stream, three zero bytes, length as big-endian uint32) and that many bytes
 * (https://docs.docker.com/reference/api/engine/version/v1.51/#tag/Container/operation/ContainerAttach, "Stream format").
 */

/** 0 stdin (never sent by an engine), 1 stdout, 2 stderr, 3 an error of the engine. */
export type StreamNumber = 0 | 1 | 2 | 3;

const headLength = 8;

/** One frame. */
export function encodeFrame(stream: StreamNumber, payload: Uint8Array): Uint8Array {
  const frame = new Uint8Array(headLength + payload.length);
  frame[0] = stream;
  new DataView(frame.buffer).setUint32(4, payload.length);
  frame.set(payload, headLength);
  return frame;
}

/**
 * Takes frames apart. Neighbouring payloads of one stream are moved together inside the chunk that was pushed, so that a chunk full of small
 * lines comes out as one piece: the caller gives the chunk away.
 */
export class StdcopyDecoder {
  readonly #sink: (stream: StreamNumber, bytes: Uint8Array) => void;
  /** Bytes of a head that the last chunk cut. */
  readonly #head = new Uint8Array(headLength);
  #headFilled = 0;
  #stream: StreamNumber = 1;
  /** Payload bytes still to come. */
  #remaining = 0;

  /** @param sink gets bytes that are valid until it returns and the next `push` */
  constructor(sink: (stream: StreamNumber, bytes: Uint8Array) => void) {
    this.#sink = sink;
  }

  /** True between two frames: an end of the stream here is a clean one. */
  get isBetweenFrames(): boolean {
    return this.#remaining === 0 && this.#headFilled === 0;
  }

  /** Error: a frame of no known stream. */
  push(chunk: Uint8Array): void {
    const length = chunk.length;
    let position = 0;
    // Payload [pieceStart, pieceEnd) is collected; what comes next of the same stream is moved to pieceEnd.
    let pieceStart = 0;
    let pieceEnd = 0;
    while (position < length) {
      if (this.#remaining === 0) {
        let stream: number;
        let size: number;
        if (this.#headFilled === 0 && length - position >= headLength) {
          stream = chunk[position] as number;
          if (
            ((chunk[position + 1] as number) | (chunk[position + 2] as number) | (chunk[position + 3] as number)) !==
            0
          )
            throw badFrame(stream);
          size =
            (chunk[position + 4] as number) * 0x1000000 +
            (((chunk[position + 5] as number) << 16) |
              ((chunk[position + 6] as number) << 8) |
              (chunk[position + 7] as number));
          position += headLength;
        } else {
          const taken = Math.min(headLength - this.#headFilled, length - position);
          this.#head.set(chunk.subarray(position, position + taken), this.#headFilled);
          this.#headFilled += taken;
          position += taken;
          if (this.#headFilled < headLength) break;
          this.#headFilled = 0;
          stream = this.#head[0] as number;
          size = new DataView(this.#head.buffer).getUint32(4);
        }
        if (stream > 3) throw badFrame(stream);
        if (stream !== this.#stream) {
          if (pieceEnd > pieceStart) this.#sink(this.#stream, chunk.subarray(pieceStart, pieceEnd));
          pieceStart = position;
          pieceEnd = position;
          this.#stream = stream as StreamNumber;
        }
        this.#remaining = size;
        continue;
      }
      const taken = Math.min(this.#remaining, length - position);
      if (pieceEnd === pieceStart) {
        pieceStart = position;
        pieceEnd = position + taken;
      } else {
        chunk.copyWithin(pieceEnd, position, position + taken);
        pieceEnd += taken;
      }
      position += taken;
      this.#remaining -= taken;
    }
    if (pieceEnd > pieceStart) this.#sink(this.#stream, chunk.subarray(pieceStart, pieceEnd));
  }
}

function badFrame(stream: number): Error {
  return new Error(`Unrecognized input header: ${stream}`);
}
