/** What handlers read of a request besides its path: conditions, and bodies that come at a decent pace. */
import type { Readable } from 'node:stream';
import { collectWithin } from '../../base/collect-within.ts';
import type { RegistryRequest } from '../http.ts';
import { RegistryProblem } from '../problem.ts';
import { slowestUpload } from '../storage/types.ts';

/** The client has what is called `digest` (RFC 9110, section 13.1.2). */
export function isKnown({ headers }: RegistryRequest, digest: string): boolean {
  const known = headers.get('if-none-match');
  return known !== undefined && (known.trim() === '*' || known.includes(digest));
}

/** The whole body. Errors: 413 beyond `limit` bytes, 408 for a client that sends too slowly. */
export async function readWhole(request: RegistryRequest, limit: number): Promise<Buffer> {
  const tooLong = new RegistryProblem('SIZE_INVALID', { status: 413, message: `there may be at most ${limit} bytes` });
  if (Number(request.headers.get('content-length') ?? 0) > limit) throw tooLong;
  const body = watchSpeed(request.stream());
  try {
    return await collectWithin(body.source, limit, () => tooLong);
  } catch (error) {
    throw slowProblem(error) ?? error;
  } finally {
    body.stop();
  }
}

/** A body that breaks off when it comes too slowly, so that nobody holds a connection open for ever. */
export function watchSpeed(body: Readable): { source: AsyncIterable<Uint8Array>; stop: () => void } {
  let received = 0;
  const timer = setInterval(() => {
    if (received < slowestUpload.bytes)
      body.destroy(Object.assign(new Error('the body comes too slowly'), { code: 'SLOW' }));
    received = 0;
  }, slowestUpload.milliseconds);
  async function* count(): AsyncIterable<Uint8Array> {
    for await (const chunk of body) {
      received += (chunk as Uint8Array).length;
      yield chunk as Uint8Array;
    }
  }
  return { source: count(), stop: () => clearInterval(timer) };
}

/** 408 for what `watchSpeed` throws, null for anything else. */
export function slowProblem(error: unknown): RegistryProblem | null {
  if ((error as NodeJS.ErrnoException | null)?.code !== 'SLOW') return null;
  return new RegistryProblem('BLOB_UPLOAD_INVALID', { status: 408, message: 'too slow', cause: error });
}
