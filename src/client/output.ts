/** What containers and their commands write, taken apart as it comes. */
import { BerthError } from '../api/errors.ts';
import { StdcopyDecoder, type StreamNumber } from '../wire/stdcopy.ts';
import type { Answer, HijackedStream } from './client.ts';

export interface OutputPiece {
  stream: 'stdout' | 'stderr';
  bytes: Uint8Array;
}

const multiplexed = 'application/vnd.docker.multiplexed-stream';

/**
 * The output of attach, exec and logs to its end; a terminal's is all `stdout`. Who stops before the end ends the connection.
 * Errors: the connection's; `internal` for what the engine says about the stream. Needs API 1.42 or newer, which says what comes.
 */
export async function* readOutput(source: Answer | HijackedStream): AsyncGenerator<OutputPiece> {
  const reader = 'body' in source ? source.body : source;
  let pieces: OutputPiece[] = [];
  const decoder = new StdcopyDecoder((stream, bytes) => pieces.push({ stream: nameOf(stream, bytes), bytes }));
  const isMultiplexed = source.headers['content-type'] === multiplexed;
  try {
    for (let bytes = await reader.read(); bytes !== null; bytes = await reader.read()) {
      if (!isMultiplexed) {
        yield { stream: 'stdout', bytes };
        continue;
      }
      decoder.push(bytes);
      const ready = pieces;
      pieces = [];
      yield* ready;
    }
    if (!decoder.isBetweenFrames) throw new BerthError('unavailable', 'unexpected EOF');
  } finally {
    source.close();
  }
}

function nameOf(stream: StreamNumber, bytes: Uint8Array): OutputPiece['stream'] {
  if (stream === 3) throw new BerthError('internal', new TextDecoder().decode(bytes));
  return stream === 2 ? 'stderr' : 'stdout';
}

/** All output as text. For commands that say little: it is kept in memory. */
export async function outputText(source: Answer | HijackedStream): Promise<{ stdout: string; stderr: string }> {
  const text = { stdout: '', stderr: '' };
  const decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() };
  for await (const { stream, bytes } of readOutput(source))
    text[stream] += decoders[stream].decode(bytes, { stream: true });
  return text;
}
