import { posix } from 'node:path';
import type { Readable } from 'node:stream';
import { BerthError } from '../../api/errors.ts';
import type { Platform } from '../../api/types/image.ts';
import type { ProgressSink } from '../../api/types/progress.ts';
import type { LoadedImage, LoadJob, LoadMessage } from '../../archive/jobs/load.ts';
import { failpoint } from '../../base/failpoint.ts';
import { runJob } from '../../host/process/job.ts';
import { familiarString, parseReference } from '../../oci/reference.ts';
import type { Document, Lease } from '../../store/types.ts';
import { type ImageContext, labelsOf, publishImageEvent, sweepSoon } from './image-context.ts';
import { ProgressPace, progressMessage } from './progress-bar.ts';

export interface LoadOptions {
  quiet: boolean;
  /** Which image of a multi-platform layout; null: this machine's, and the others with it. */
  platform: Platform | null;
}

export interface LoadRequest extends LoadOptions {
  archive: Readable;
  progress: ProgressSink;
  signal: AbortSignal;
}

/**
 * `POST /images/load`: docker-archive or OCI layout, plain or packed. Each image appears whole or not at all. Errors: `invalid` in
 * dockerd's words, `cancelled`.
 */
export async function loadImages(context: ImageContext, request: LoadRequest): Promise<void> {
  const lease = await context.store.lease('load');
  try {
    const images = await unpack(context, request, lease);
    await failpoint('load.after-unpack');
    // Who asks for one platform gets it alone.
    const wanted = request.platform === null ? images : images.map((image) => ({ ...image, target: null }));
    for (const image of wanted) await commit(context, image, { lease, progress: request.progress });
  } finally {
    await lease.release();
    sweepSoon(context);
  }
}

async function unpack(context: ImageContext, request: LoadRequest, lease: Lease): Promise<LoadedImage[]> {
  const job: LoadJob = {
    helper: context.helper,
    directory: lease.directory,
    platform: request.platform ?? context.platform,
    known: await context.store.writeKnown(lease),
  };
  let images: LoadedImage[] | null = null;
  const pace = new ProgressPace();
  await runJob('load', job, {
    input: request.archive,
    signal: request.signal,
    onMessage: (message) => {
      const said = message as LoadMessage;
      if ('images' in said) images = said.images;
      else if (!request.quiet && pace.isDue(said.progress.current === said.progress.total))
        request.progress(progressMessage('Loading layer', layerName(said.progress.path), said.progress));
    },
  });
  if (!images) throw new BerthError('internal', 'the loading job said nothing');
  return images;
}

/** Twelve digits that tell layers apart: of the blob, or of the old kind of folder. */
function layerName(path: string): string {
  const name = posix.basename(path).replace(/\.tar$/, '');
  return (name === 'layer' ? posix.basename(posix.dirname(path)) : name).slice(0, 12);
}

function unpacked(document: LoadedImage['documents'][number]): Document {
  return { ...document, bytes: Buffer.from(document.bytes, 'base64') };
}

async function commit(
  context: ImageContext,
  image: LoadedImage,
  work: { lease: Lease; progress: ProgressSink },
): Promise<void> {
  const { lease, progress } = work;
  const { target } = image;
  const layers = new Map([...image.layers, ...(target?.layers ?? [])].map((layer) => [layer.diffId, layer]));
  for (const layer of layers.values()) if (!layer.known) await context.store.adoptLayer(layer, lease);
  await failpoint('load.before-commit');
  const { id, moved } = await context.store.commitImage({
    config: Buffer.from(image.config, 'base64'),
    documents: image.documents.map(unpacked),
    manifest: image.manifest,
    target: target && {
      digest: target.digest,
      documents: target.documents.map(unpacked),
      layers: target.layers.map(({ diffId }) => diffId),
    },
    references: image.references,
    lease,
  });
  await failpoint('load.after-commit');
  for (const { reference, from } of moved) {
    const name = familiarString(parseReference(reference));
    progress({ stream: `The image ${name} already exists, renaming the old one with ID ${from} to empty string\n` });
  }
  for (const reference of image.references)
    progress({ stream: `Loaded image: ${familiarString(parseReference(reference))}\n` });
  if (image.references.length === 0) progress({ stream: `Loaded image ID: ${id}\n` });
  const stored = context.store.image(id);
  publishImageEvent(context, 'load', { id, labels: stored ? labelsOf(stored) : null });
}
