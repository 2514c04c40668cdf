/** Pushing blobs (https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#pushing-blobs). */
import type { Caller } from '../access/guard.ts';
import type { Call } from '../context.ts';
import { checkDigest, isRepositoryName } from '../names.ts';
import { RegistryProblem } from '../problem.ts';
import { worthLending } from '../storage/types.ts';
import { slowProblem, watchSpeed } from './requests.ts';

/** Nothing of an upload waits in memory before it is asked for: there may be many uploads, and a piece has half a megabyte. */
const readAhead = 0;

/** `POST …/blobs/uploads/`: mounts a blob, takes one whole, or opens an upload. */
export async function startUpload(call: Call): Promise<void> {
  const { context, request, repository, query, response } = call;
  const mount = query.get('mount');
  const caller = await context.guard.requirePush(request, repository, mount && query.get('from'));
  if (mount !== null && (await mountBlob(call, caller, checkDigest(mount)))) return created(call, mount);
  const digest = query.get('digest');
  if (digest !== null) checkDigest(digest);
  const { content } = context;
  const id = await content.beginUpload(repository);
  if (digest === null) {
    response.send(202, progressHeaders(call, id, 0));
    return;
  }
  await content.exclusively(id, async () => {
    try {
      await receive(call, id, 0);
      await content.finishUpload(repository, id, digest);
    } catch (error) {
      // Nobody knows this upload's name, so nobody can go on with it.
      await content.cancelUpload(id);
      throw error;
    }
  });
  created(call, digest);
}

/** False: it is not where the client says, or may not be seen there; an upload follows then. */
async function mountBlob(call: Call, caller: Caller, digest: string): Promise<boolean> {
  const { context, repository, query } = call;
  const { guard, content } = context;
  const from = query.get('from');
  if (from === null) {
    const source = await content.index.findBlob(digest, guard.mountableBy(caller));
    return source !== null && content.mount(repository, digest, source);
  }
  if (!isRepositoryName(from) || !guard.mayMount(call.request, caller, { from, to: repository })) return false;
  return content.mount(repository, digest, from);
}

/** `PATCH …/blobs/uploads/<id>`: a chunk, or a stream of unknown length. */
export async function continueUpload(call: Call): Promise<void> {
  const { context, request, repository, reference: id } = call;
  await context.guard.require(request, repository, 'pull', 'push');
  const size = await context.content.exclusively(id, async () => {
    const offset = await context.content.uploaded(repository, id);
    return receive(call, id, offset);
  });
  call.response.send(202, progressHeaders(call, id, size));
}

/** `PUT …/blobs/uploads/<id>?digest=…`: the last chunk, or none, and the end. */
export async function finishUpload(call: Call): Promise<void> {
  const { context, request, repository, reference: id, query } = call;
  await context.guard.require(request, repository, 'pull', 'push');
  const { content } = context;
  const digest = checkDigest(query.get('digest') ?? '');
  await content.exclusively(id, async () => {
    const offset = await content.uploaded(repository, id);
    await receive(call, id, offset);
    await content.finishUpload(repository, id, digest);
  });
  created(call, digest);
}

/** `GET …/blobs/uploads/<id>`: how far it is. */
export async function uploadStatus(call: Call): Promise<void> {
  const { context, request, repository, reference: id } = call;
  await context.guard.require(request, repository, 'pull', 'push');
  const size = await context.content.uploaded(repository, id);
  call.response.send(204, progressHeaders(call, id, size));
}

/** `DELETE …/blobs/uploads/<id>`. */
export async function cancelUpload(call: Call): Promise<void> {
  const { context, request, repository, reference: id, response } = call;
  await context.guard.require(request, repository, 'pull', 'push');
  await context.content.exclusively(id, async () => {
    await context.content.uploaded(repository, id);
    await context.content.cancelUpload(id);
  });
  response.send(204, {});
}

/** Takes the request's body to the end of the upload. Gives the new size. */
async function receive(call: Call, id: string, offset: number): Promise<number> {
  const { context, request } = call;
  const length = checkRange(call, id, offset);
  if (request.headers.get('content-length') === '0') return offset;
  if (request.headers.get('content-length') === undefined && !request.headers.has('transfer-encoding')) return offset;
  try {
    const end = await store(call, id, offset);
    if (length !== null && end !== offset + length) throw new RegistryProblem('SIZE_INVALID');
    return end;
  } catch (error) {
    const code = codeOf(error);
    // Half an upload would keep the disk full, and clients start again anyway.
    if (code === 'ENOSPC' || code === 'EDQUOT') await context.content.cancelUpload(id);
    if (code === 'MALFORMED') throw new RegistryProblem('BLOB_UPLOAD_INVALID', { cause: error });
    throw slowProblem(error) ?? error;
  }
}

/** Past the event loop where that can be, and where it is worth it: a small piece in the middle of an upload is, its hash is kept there. */
async function store({ context, request }: Call, id: string, offset: number): Promise<number> {
  const { blobs } = context.content;
  const isShort = Number(request.headers.get('content-length') ?? worthLending) < worthLending;
  const isWorthIt = offset > 0 || !isShort;
  const lent = await (isWorthIt && blobs.direct?.isAvailable && request.lendBody());
  if (blobs.direct && lent) return blobs.direct.append(id, lent);
  const watch = watchSpeed(request.stream(readAhead));
  try {
    return await blobs.append(id, watch.source);
  } finally {
    watch.stop();
  }
}

function codeOf(error: unknown): string {
  return String((error as NodeJS.ErrnoException | null)?.code ?? '');
}

/** The length that `Content-Range` promises, or null without one. Error: 416 for a chunk that is not the next one. */
function checkRange(call: Call, id: string, offset: number): number | null {
  const range = call.request.headers.get('content-range');
  if (range === undefined) return null;
  const [, first, last] = /^(?:bytes[ =])?(\d{1,15})-(\d{1,15})(?:\/(?:\d+|\*))?$/.exec(range.trim()) ?? [];
  const start = Number(first ?? Number.NaN);
  const end = Number(last ?? Number.NaN);
  const length = Number(call.request.headers.get('content-length') ?? end - start + 1);
  if (start !== offset || end < start)
    throw new RegistryProblem('BLOB_UPLOAD_INVALID', {
      status: 416,
      message: `the upload goes on at byte ${offset}`,
      headers: progressHeaders(call, id, offset),
    });
  if (length !== end - start + 1) throw new RegistryProblem('SIZE_INVALID');
  return length;
}

function progressHeaders(call: Call, id: string, size: number): Record<string, string> {
  return {
    Location: `/v2/${call.repository}/blobs/uploads/${id}`,
    Range: `0-${Math.max(0, size - 1)}`,
    'Docker-Upload-UUID': id,
  };
}

function created(call: Call, digest: string): void {
  call.response.send(201, {
    Location: `/v2/${call.repository}/blobs/${digest}`,
    'Docker-Content-Digest': digest,
  });
}
