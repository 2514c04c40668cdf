/** Manifests and what refers to them (https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#pushing-manifests). */
import { finishHash, isDigest, startHash } from '../../oci/digest.ts';
import { type Descriptor, longestManifest, parseManifest, parseObject } from '../../oci/manifest.ts';
import { mediaTypes } from '../../oci/media-types.ts';
import { type Call, sendJson } from '../context.ts';
import { manifestFacts } from '../manifest-facts.ts';
import { checkDigest, isTag } from '../names.ts';
import { RegistryProblem } from '../problem.ts';
import type { StoredManifest } from '../storage/types.ts';
import { isKnown, readWhole } from './requests.ts';

/** That one push sets by `tag` parameters; the specification wants room for ten. */
const mostTags = 100;
/** RFC 6838, section 4.2. */
const mediaTypePattern = /^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}\/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}$/;
/** Bytes of a page of referrers, which is an index: clients read none above 4 MiB. */
const referrersPage = 2 * 1024 * 1024;

/** `GET` and `HEAD …/manifests/<tag or digest>`. */
export async function readManifest(call: Call): Promise<void> {
  const { context, request, response, reference } = call;
  const upstream = call.query.get('ns');
  const repository = context.mirror?.localName(call.repository, upstream) ?? call.repository;
  await context.guard.require(request, repository, 'pull');
  if (!isTag(reference) && !isDigest(reference)) throw new RegistryProblem('MANIFEST_UNKNOWN');
  const { index } = context.content;
  const read = async (tagOrDigest: string): Promise<StoredManifest> => {
    const fetched = await context.mirror?.refreshManifest(call.repository, tagOrDigest, upstream);
    const found = fetched ?? (await index.manifest(repository, tagOrDigest));
    if (found) return found;
    throw new RegistryProblem('MANIFEST_UNKNOWN', {
      detail: isTag(tagOrDigest) ? { Tag: tagOrDigest } : { Digest: tagOrDigest },
    });
  };
  const named = await read(reference);
  const instead = isTag(reference) ? imageInstead(named, request.headers.get('accept') ?? '') : null;
  const manifest = instead === null ? named : await read(instead);
  const headers = {
    'Content-Type': manifest.mediaType,
    'Docker-Content-Digest': manifest.digest,
    ETag: `"${manifest.digest}"`,
  };
  if (isKnown(request, manifest.digest)) response.send(304, headers);
  else {
    if (request.method === 'GET') index.countPull(repository);
    response.send(200, headers, manifest.bytes);
  }
}

/**
 * For a client that reads Docker's images and says that it reads no lists of them: the digest of the list's image for linux on amd64, as
 * Docker's registries do. Everybody else gets what was pushed, whatever they accept.
 */
function imageInstead({ mediaType, bytes }: StoredManifest, accept: string): string | null {
  if (mediaType !== mediaTypes.dockerManifestList) return null;
  const accepted = accept.split(',').map((part) => part.split(';')[0]?.trim());
  const isOld = accepted.includes(mediaTypes.dockerManifest);
  if (!isOld || accepted.includes(mediaType) || accepted.includes('*/*')) return null;
  const parsed = parseManifest(bytes, mediaType);
  if (parsed.kind !== 'index') return null;
  const isUsual = ({ platform }: Descriptor): boolean => platform?.os === 'linux' && platform.architecture === 'amd64';
  return parsed.index.manifests.find(isUsual)?.digest ?? null;
}

/** `PUT …/manifests/<tag or digest>`. */
export async function writeManifest(call: Call): Promise<void> {
  const { context, request, response, repository } = call;
  const { identity } = await context.guard.require(request, repository, 'pull', 'push');
  const reference = checkReference(call.reference);
  const bytes = await readWhole(request, longestManifest);
  const mediaType = mediaTypeOf(call, bytes);
  const algorithm = isDigest(reference) ? reference : (call.query.get('digest') ?? 'sha256:');
  const digest = finishHash(algorithm, startHash(algorithm).update(bytes));
  if (isDigest(algorithm) && digest !== algorithm) throw new RegistryProblem('DIGEST_INVALID', { detail: { digest } });
  const facts = manifestFacts(bytes, mediaType);
  const tags = [...(isTag(reference) ? [reference] : []), ...call.query.getAll('tag')];
  if (tags.length > mostTags)
    throw new RegistryProblem('TAG_INVALID', { status: 414, message: `there may be at most ${mostTags} tags` });
  for (const tag of tags) if (!isTag(tag)) throw new RegistryProblem('TAG_INVALID', { message: 'invalid tag' });
  for (const tag of tags.length > 0 ? tags : [null])
    await context.content.index.putManifest(
      repository,
      { digest, mediaType, bytes },
      { tag, facts, mayBeSparse: context.mayBeSparse, by: identity?.name ?? null },
    );
  response.send(201, {
    Location: `/v2/${repository}/manifests/${digest}`,
    'Docker-Content-Digest': digest,
    ...(facts.subject && { 'OCI-Subject': facts.subject }),
    ...(isDigest(reference) && tags.length > 0 && { 'OCI-Tag': tags.join(', ') }),
  });
}

function checkReference(reference: string): string {
  if (isTag(reference)) return reference;
  if (reference.includes(':')) return checkDigest(reference);
  throw new RegistryProblem('TAG_INVALID', { message: 'invalid tag' });
}

/** What the client says, else the document itself. Error: `MANIFEST_INVALID` for a type that is none. */
function mediaTypeOf(call: Call, bytes: Buffer): string {
  const header = call.request.headers.get('content-type')?.split(';')[0]?.trim() ?? '';
  const type = header || statedType(bytes) || mediaTypes.ociManifest;
  // It becomes a header of every answer.
  if (mediaTypePattern.test(type)) return type;
  throw new RegistryProblem('MANIFEST_INVALID', { message: `manifest invalid: no media type: ${type.slice(0, 300)}` });
}

function statedType(bytes: Buffer): string {
  try {
    const { mediaType } = parseObject(bytes, 'manifest');
    return typeof mediaType === 'string' ? mediaType : '';
  } catch {
    // Whoever reads it for its contents says what is wrong.
    return '';
  }
}

/** `DELETE …/manifests/<tag or digest>`: a tag alone, or the manifest with all its tags. */
export async function deleteManifest(call: Call): Promise<void> {
  const { context, request, response, repository } = call;
  await context.guard.require(request, repository, 'delete');
  if (!context.mayDelete) throw new RegistryProblem('UNSUPPORTED');
  const reference = checkReference(call.reference);
  const { index } = context.content;
  const isGone = isTag(reference)
    ? await index.deleteTag(repository, reference)
    : await index.deleteManifest(repository, reference);
  if (!isGone) throw new RegistryProblem('MANIFEST_UNKNOWN');
  response.send(202, {});
}

/** `GET …/referrers/<digest>`. */
export async function listReferrers(call: Call): Promise<void> {
  const { context, request, repository, query } = call;
  const digest = checkDigest(call.reference);
  await context.guard.require(request, repository, 'pull');
  const artifactType = query.get('artifactType') ?? '';
  const page = { subject: digest, artifactType, last: query.get('last') ?? '', mostBytes: referrersPage };
  const { referrers, hasMore } = await context.content.index.referrers(repository, page);
  const manifests = referrers.map(({ mediaType, digest: own, size, artifactType: type, annotations }) => ({
    mediaType,
    digest: own,
    size,
    ...(type && { artifactType: type }),
    ...(annotations && { annotations }),
  }));
  const next = new URLSearchParams({ ...(artifactType && { artifactType }), last: referrers.at(-1)?.digest ?? '' });
  sendJson(
    call,
    { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests },
    {
      'Content-Type': mediaTypes.ociIndex,
      ...(artifactType && { 'OCI-Filters-Applied': 'artifactType' }),
      ...(hasMore && { Link: `</v2/${repository}/referrers/${digest}?${next}>; rel="next"` }),
    },
  );
}
