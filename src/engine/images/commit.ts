import type { ContainerConfig } from '../../api/types/container.ts';
import type { ImageCommitOptions } from '../../api/types/image-requests.ts';
import { failpoint } from '../../base/failpoint.ts';
import type { HistoryEntry, ImageConfigDocument } from '../../oci/image-config.ts';
import { canonicalString, familiarString } from '../../oci/reference.ts';
import type { Lease } from '../../store/types.ts';
import { applyChanges } from './changes.ts';
import { type ImageContext, publishImageEvent, sweepSoon } from './image-context.ts';
import { readTarget } from './tag.ts';
import type { CommitSource } from './types.ts';

/** Diff id of a layer that changes nothing: a tar of two empty blocks. An image leaves it out. */
const emptyLayer = 'sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef';

/**
 * Makes an image of a container: what it has written becomes a layer upon its image's. Gives the id. Errors: `invalid` for a
 * name or a change, `conflict` for a container that is removed meanwhile.
 */
export async function commitContainer(
  context: ImageContext,
  options: ImageCommitOptions & { dockerVersion: string },
  source: CommitSource,
): Promise<string> {
  const target = options.repository === '' ? null : readTarget(options.repository, options.tag);
  const own = options.config ? source.complete(options.config) : source.config;
  const config = applyChanges(own, options.changes) as ContainerConfig;
  const { store } = context;
  const lease = await store.lease('commit');
  try {
    const diffId = await readLayer(context, { lease, source, pause: options.pause });
    await failpoint('commit.after-layer');
    const parent = source.image === '' ? null : store.image(source.image);
    const document = imageDocument({ options, source, config, diffId, parent: parent?.config ?? null }, context);
    const { id } = await store.commitImage({
      config: Buffer.from(JSON.stringify(document)),
      references: target ? [canonicalString(target)] : [],
      parent: parent?.id ?? null,
      lease,
    });
    await failpoint('commit.after-image');
    const image = { id, labels: config.Labels };
    publishImageEvent(context, 'create', image);
    if (target) publishImageEvent(context, 'tag', image, familiarString(target));
    const imageRef = target ? familiarString(target) : '';
    source.committed({ comment: options.comment, imageID: id, imageRef });
    return id;
  } finally {
    await lease.release();
    sweepSoon(context);
  }
}

/** Makes the layer, the container standing still where that is asked for. Gives its diff id. */
async function readLayer(
  { store }: ImageContext,
  { lease, source, pause }: { lease: Lease; source: CommitSource; pause: boolean },
): Promise<string> {
  const goOn = pause ? await source.holdStill() : null;
  try {
    await failpoint('commit.after-pause');
    const layer = await store.ingestLayer({
      source: { kind: 'upper', path: await source.upper() },
      lease,
      digest: null,
      size: null,
      diffId: null,
    });
    source.check();
    return layer.diffId;
  } catch (error) {
    // Where it was removed meanwhile, that is the reason.
    source.check();
    throw error;
  } finally {
    await goOn?.();
  }
}

interface Committed {
  options: ImageCommitOptions & { dockerVersion: string };
  source: CommitSource;
  config: ContainerConfig;
  diffId: string;
  parent: ImageConfigDocument | null;
}

/** The image config as dockerd 28.5 writes one: the old keys of Docker's first format too. */
function imageDocument({ options, source, config, diffId, parent }: Committed, { platform }: ImageContext): object {
  const created = new Date().toISOString();
  const isEmpty = diffId === emptyLayer;
  const step: HistoryEntry = {
    created,
    created_by: (source.config.Cmd ?? []).join(' '),
    ...(options.author && { author: options.author }),
    ...(options.comment && { comment: options.comment }),
    ...(isEmpty && { empty_layer: true }),
  };
  const below = parent?.rootfs.diff_ids ?? [];
  return {
    architecture: parent?.architecture || platform.architecture,
    ...(options.author && { author: options.author }),
    config: ordered(config),
    container: source.id,
    container_config: ordered(source.config),
    created,
    docker_version: options.dockerVersion,
    history: [...(parent?.history ?? []), step],
    os: parent?.os || platform.os,
    ...(parent?.['os.version'] && { 'os.version': parent['os.version'] }),
    rootfs: { type: 'layers', diff_ids: isEmpty ? below : [...below, diffId] },
    ...(parent?.variant && { variant: parent.variant }),
  };
}

/** A container's configuration in the order of Docker's own type, empty ones of the optional keys left out. */
function ordered(config: ContainerConfig): object {
  const { Hostname, Domainname, User, AttachStdin, AttachStdout, AttachStderr, Tty, OpenStdin, StdinOnce } = config;
  return {
    ...{ Hostname, Domainname, User, AttachStdin, AttachStdout, AttachStderr },
    ...(config.ExposedPorts && Object.keys(config.ExposedPorts).length > 0 && { ExposedPorts: config.ExposedPorts }),
    ...{ Tty, OpenStdin, StdinOnce },
    Env: config.Env,
    Cmd: config.Cmd,
    ...(config.Healthcheck && { Healthcheck: config.Healthcheck }),
    ...(config.ArgsEscaped && { ArgsEscaped: true }),
    Image: config.Image,
    Volumes: config.Volumes && Object.keys(config.Volumes).length > 0 ? config.Volumes : null,
    WorkingDir: config.WorkingDir,
    Entrypoint: config.Entrypoint,
    OnBuild: config.OnBuild,
    Labels: config.Labels,
    ...(config.StopSignal && { StopSignal: config.StopSignal }),
    ...(config.StopTimeout != null && { StopTimeout: config.StopTimeout }),
    ...(config.Shell?.length && { Shell: config.Shell }),
  };
}
