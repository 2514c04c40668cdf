/** Output of a container: stdcopy frames taken apart, small pieces put together, written with back-pressure. */
import type { ByteReader } from '../../client/transport/transport.ts';
import { StdcopyDecoder, type StreamNumber } from '../../wire/stdcopy.ts';
import type { Output } from './output.ts';

export interface OutputPair {
  /** Undefined: thrown away. */
  out: Output | undefined;
  err: Output | undefined;
}

/** Pieces below this size are joined before they are written. */
const joinBelow = 1 << 14;
const joinLimit = 1 << 18;

/** Copies raw bytes (a terminal's) to the end. */
export async function copyRaw(reader: ByteReader, out: Output | undefined): Promise<void> {
  for (let bytes = await reader.read(); bytes !== null; bytes = await reader.read()) await out?.write(bytes);
}

/** Copies stdcopy frames to the end. Errors: the connection's; a frame of no known stream; what the engine sent as an error. */
export async function copyFrames(reader: ByteReader, outputs: OutputPair): Promise<void> {
  let pieces: { stream: StreamNumber; bytes: Uint8Array }[] = [];
  const decoder = new StdcopyDecoder((stream, bytes) => pieces.push({ stream, bytes }));
  for (let bytes = await reader.read(); bytes !== null; bytes = await reader.read()) {
    decoder.push(bytes);
    // What is here already goes out with it, as long as it is little.
    for (let size = bytes.length; size < joinLimit; ) {
      const more = reader.take();
      if (!more) break;
      decoder.push(more);
      size += more.length;
    }
    const ready = pieces;
    pieces = [];
    await writePieces(ready, outputs);
  }
}

async function writePieces(pieces: { stream: StreamNumber; bytes: Uint8Array }[], outputs: OutputPair): Promise<void> {
  let at = 0;
  while (at < pieces.length) {
    const first = pieces[at] as { stream: StreamNumber; bytes: Uint8Array };
    let end = at + 1;
    let size = first.bytes.length;
    while (
      end < pieces.length &&
      pieces[end]?.stream === first.stream &&
      (pieces[end]?.bytes.length ?? 0) < joinBelow &&
      size < joinLimit
    )
      size += pieces[end++]?.bytes.length ?? 0;
    const bytes = end === at + 1 ? first.bytes : join(pieces.slice(at, end), size);
    await writeStream(first.stream, bytes, outputs);
    at = end;
  }
}

async function writeStream(stream: StreamNumber, bytes: Uint8Array, outputs: OutputPair): Promise<void> {
  if (stream === 3) throw new Error(`error from daemon in stream: ${new TextDecoder().decode(bytes)}`);
  await (stream === 2 ? outputs.err : outputs.out)?.write(bytes);
}

function join(pieces: { bytes: Uint8Array }[], size: number): Uint8Array {
  const joined = new Uint8Array(size);
  let at = 0;
  for (const { bytes } of pieces) {
    joined.set(bytes, at);
    at += bytes.length;
  }
  return joined;
}
