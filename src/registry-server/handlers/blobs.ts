/** Pulling and deleting blobs (https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#pulling-blobs). */
import type { Call, FetchedBlob } from '../context.ts';
import { checkDigest } from '../names.ts';
import { RegistryProblem } from '../problem.ts';
import { worthLending } from '../storage/types.ts';
import { isKnown } from './requests.ts';

/** `GET` and `HEAD …/blobs/<digest>`, with ranges (RFC 9110, section 14). */
export async function readBlob(call: Call): Promise<void> {
  const { context, request } = call;
  const digest = checkDigest(call.reference);
  const repository = context.mirror?.localName(call.repository, call.query.get('ns')) ?? call.repository;
  await context.guard.require(request, repository, 'pull');
  const size = await context.content.index.blob(repository, digest);
  const fetched = size === null && request.method === 'GET' ? await fetchUpstream(call, digest) : null;
  const length = size ?? (request.method === 'GET' ? fetched?.size : await sizeUpstream(call, digest));
  if (length === undefined) throw new RegistryProblem('BLOB_UNKNOWN', { detail: { digest } });
  const headers = {
    'Content-Type': 'application/octet-stream',
    'Docker-Content-Digest': digest,
    'Accept-Ranges': 'bytes',
    'Cache-Control': 'max-age=31536000',
    ETag: `"${digest}"`,
  };
  const { response } = call;
  if (isKnown(request, digest)) {
    response.send(304, headers);
    return;
  }
  const range = readRange(call, length, `"${digest}"`);
  const { start, end } = range ?? { start: 0, end: length - 1 };
  const status = range ? 206 : 200;
  const contentRange: Record<string, string> = range ? { 'Content-Range': `bytes ${start}-${end}/${length}` } : {};
  response.start(status, { ...headers, ...contentRange }, end - start + 1);
  if (request.method === 'HEAD' || end < start) return response.end();
  if (fetched) await send(call, fetched.read(start, end));
  else await sendStored(call, digest, { start, end });
}

/** Past the event loop where that can be. */
async function sendStored(call: Call, digest: string, range: { start: number; end: number }): Promise<void> {
  const { blobs } = call.context.content;
  const isWorthIt = range.end - range.start >= worthLending;
  const lent = isWorthIt && blobs.direct?.isAvailable ? await call.response.lend() : null;
  if (!blobs.direct || !lent) return send(call, blobs.read(digest, range));
  await blobs.direct.send(digest, range, lent);
  call.response.end();
}

/** No piece is asked for before the client has taken the one before. A source that fails breaks the answer off. */
async function send({ response }: Call, source: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const piece of source) {
    if (!response.write(piece)) await response.drained();
    if (response.closed) return;
  }
  response.end();
}

/** A client that asks for the head alone has nothing fetched. */
async function sizeUpstream({ context, repository, query }: Call, digest: string): Promise<number | undefined> {
  return (await context.mirror?.blobSize(repository, digest, query.get('ns'))) ?? undefined;
}

async function fetchUpstream(call: Call, digest: string): Promise<FetchedBlob | null> {
  const { context, repository, query } = call;
  return (await context.mirror?.fetchBlob(repository, digest, query.get('ns'))) ?? null;
}

/**
 * Null: the whole blob. More than one range is answered with the whole too, which the RFC allows. Error: 416, also for a range that is none, as
 * Docker's registry.
 */
function readRange(call: Call, length: number, etag: string): { start: number; end: number } | null {
  const condition = call.request.headers.get('if-range');
  const [, ranges] = /^bytes=(.*)$/i.exec(call.request.headers.get('range') ?? '') ?? [];
  if (ranges === undefined || ranges.includes(',') || (condition !== undefined && condition !== etag)) return null;
  const [, first, last] = /^\s*(\d*)\s*-\s*(\d*)\s*$/.exec(ranges) ?? [];
  const start = first ? Number(first) : length - Math.min(Number(last || Number.NaN), length);
  const end = first && last ? Math.min(Number(last), length - 1) : length - 1;
  if (start >= 0 && start <= end) return { start, end };
  throw new RegistryProblem('SIZE_INVALID', {
    status: 416,
    message: 'the range is not inside the blob',
    headers: { 'Content-Range': `bytes */${length}` },
  });
}

/** `DELETE …/blobs/<digest>`. */
export async function deleteBlob(call: Call): Promise<void> {
  const { context, request, repository, response } = call;
  const digest = checkDigest(call.reference);
  await context.guard.require(request, repository, 'delete');
  if (!context.mayDelete) throw new RegistryProblem('UNSUPPORTED');
  if (!(await context.content.removeBlob(repository, digest)))
    throw new RegistryProblem('BLOB_UNKNOWN', { detail: { digest } });
  response.send(202, { 'Docker-Content-Digest': digest });
}
