/** A request's body, as whole text or as a stream with back-pressure. */
import { Readable } from 'node:stream';
import { BadRequest } from './head.ts';

/** Takes body bytes; null is the end, of a whole body unless there is an error. False: wait until more is asked for. */
export type BodySink = (bytes: Buffer | null, error?: Error) => boolean;

/** Has the bytes given to a sink from now on; once for each body. */
type OpenBody = (sink: BodySink) => void;

/** The whole body as UTF-8. Error: `BadRequest` 413 beyond `limit` bytes; what broke the body off. */
export function bodyText(open: OpenBody, limit: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    open((bytes, error) => {
      if (error) reject(error);
      else if (bytes === null)
        resolve(chunks.length === 1 ? (chunks[0] as Buffer).toString() : Buffer.concat(chunks).toString());
      else {
        length += bytes.length;
        if (length > limit) {
          chunks.length = 0;
          reject(new BadRequest(413, 'http: request body too large'));
        } else chunks.push(bytes);
      }
      return true;
    });
  });
}

/** The body as it comes. @param advance asks the connection for more @param ahead bytes to read before somebody asks for them */
export function bodyStream(open: OpenBody, { advance, ahead }: { advance: () => void; ahead: number }): Readable {
  let opened = false;
  let settled = false;
  const stream = new Readable({
    highWaterMark: ahead,
    read() {
      if (opened) {
        advance();
        return;
      }
      opened = true;
      open((bytes, error) => {
        if (settled || stream.destroyed) return true;
        if (error) {
          settled = true;
          stream.destroy(error);
          return true;
        }
        if (bytes === null) settled = true;
        return stream.push(bytes);
      });
    },
    destroy(error, callback) {
      settled = true;
      // The rest is read over.
      if (opened) advance();
      callback(error);
    },
  });
  return stream;
}
