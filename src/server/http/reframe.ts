/** Output in the form that a client asked for, where that is not the form that the process gives. */
import { Transform } from 'node:stream';
import { encodeFrame, StdcopyDecoder } from '../../wire/stdcopy.ts';

/** Terminal output as frames of stdout. */
export function frameOutput(): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      done(null, encodeFrame(1, chunk));
    },
  });
}

/** Frames as bare bytes, stdout and stderr as they come. */
export function unframeOutput(): Transform {
  const transform = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      decoder.push(chunk);
      done();
    },
  });
  // The decoder uses the chunk's own memory again, a reader may come late.
  const decoder = new StdcopyDecoder((_stream, bytes) => void transform.push(Buffer.from(bytes)));
  return transform;
}
