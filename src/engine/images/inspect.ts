import { dirname } from 'node:path';
import { BerthError } from '../../api/errors.ts';
import type { ImageHistoryEntry, ImageInspect, ImageInspectConfig, Platform } from '../../api/types/image.ts';
import { configPlatform } from '../../oci/image-config.ts';
import { formatPlatform, platformRank } from '../../oci/platform.ts';
import type { StoredImage } from '../../store/types.ts';
import { zeroTime } from '../../wire/time.ts';
import type { ImageContext } from './image-context.ts';
import { familiarNames, findImage, targetOf } from './image-names.ts';
import { imageFor } from './targets.ts';

/** `GET /images/{name}/json`. Error: `not-found`. */
export function inspectImage(context: ImageContext, name: string, platform: Platform | null): ImageInspect {
  const image = findForPlatform(context, name, platform);
  const { config } = image;
  const { tags, digests } = familiarNames(image);
  const extra = config as { author?: string; container?: string };
  return {
    Id: image.id,
    RepoTags: tags,
    RepoDigests: digests,
    Parent: image.parent ?? '',
    Comment: config.comment || (config.history?.at(-1)?.comment ?? ''),
    ...(config.created !== undefined && { Created: config.created }),
    DockerVersion: config.docker_version ?? '',
    Author: extra.author ?? '',
    Config: config.config ? inspectConfig(config.config) : null,
    Architecture: config.architecture,
    ...(config.variant && { Variant: config.variant }),
    Os: config.os || 'linux',
    ...(config['os.version'] && { OsVersion: config['os.version'] }),
    Size: image.size,
    GraphDriver: { Data: driverData(context, image), Name: 'overlay2' },
    RootFS: { Type: 'layers', ...(image.layers.length > 0 && { Layers: image.layers }) },
    Metadata: { LastTagTime: image.lastTagged === null ? zeroTime : new Date(image.lastTagged).toISOString() },
  };
}

/** Error: `not-found`. */
function findForPlatform({ store }: ImageContext, name: string, platform: Platform | null): StoredImage {
  const found = findImage(store, name);
  const image = platform === null ? found : imageFor(store, found, { target: targetOf(store, name), platform });
  checkPlatform(image, name, platform);
  return image;
}

/** An image for another platform is as good as none. */
export function checkPlatform(image: StoredImage, name: string, wanted: Platform | null): void {
  if (!wanted) return;
  const own = configPlatform(image.config);
  if (platformRank(own, wanted) !== null) return;
  throw new BerthError(
    'not-found',
    `image with reference ${name} was found but its platform (${formatPlatform(own)}) does not match the specified platform (${formatPlatform(wanted)})`,
  );
}

function inspectConfig(config: NonNullable<StoredImage['config']['config']>): ImageInspectConfig {
  const source = config as unknown as Partial<ImageInspectConfig>;
  return {
    User: source.User ?? '',
    ...(source.ExposedPorts && { ExposedPorts: source.ExposedPorts }),
    Env: source.Env ?? null,
    Cmd: source.Cmd ?? null,
    ...(source.Healthcheck && { Healthcheck: source.Healthcheck }),
    ...(source.ArgsEscaped && { ArgsEscaped: true }),
    Volumes: source.Volumes ?? null,
    WorkingDir: source.WorkingDir ?? '',
    Entrypoint: source.Entrypoint ?? null,
    OnBuild: source.OnBuild ?? null,
    Labels: source.Labels ?? null,
    ...(source.StopSignal && { StopSignal: source.StopSignal }),
    ...(source.Shell && { Shell: source.Shell }),
  };
}

/** What tools that look at the disk expect of the overlay2 driver. */
function driverData(context: ImageContext, image: StoredImage): Record<string, string> | null {
  const [top, ...below] = context.store.lower(image.layers);
  if (top === undefined) return null;
  const directory = dirname(top);
  return {
    ...(below.length > 0 && { LowerDir: below.join(':') }),
    MergedDir: `${directory}/merged`,
    UpperDir: top,
    WorkDir: `${directory}/work`,
  };
}

/** `GET /images/{name}/history`, the newest first. Error: `not-found`. */
export function imageHistory(context: ImageContext, name: string, platform: Platform | null): ImageHistoryEntry[] {
  const image = findForPlatform(context, name, platform);
  let layer = 0;
  const entries = (image.config.history ?? []).map((step): ImageHistoryEntry => {
    const diffId = step.empty_layer ? undefined : image.layers[layer++];
    if (!step.empty_layer && diffId === undefined)
      throw new BerthError('internal', 'too many non-empty layers in History section');
    const created = Date.parse(step.created ?? '');
    return {
      Comment: step.comment ?? '',
      Created: Number.isNaN(created) ? 0 : Math.floor(created / 1000),
      CreatedBy: step.created_by ?? '',
      Id: '<missing>',
      Size: diffId === undefined ? 0 : (context.store.layer(diffId)?.size ?? 0),
      Tags: null,
    };
  });
  entries.reverse();
  nameSteps(context, image, entries);
  return entries;
}

/** The top step is the image itself, the ones below it its parents, where they are here. */
function nameSteps(context: ImageContext, image: StoredImage, entries: ImageHistoryEntry[]): void {
  let at: StoredImage | null = image;
  for (const entry of entries) {
    if (!at) return;
    const { tags } = familiarNames(at);
    entry.Id = at.id;
    entry.Tags = tags.length > 0 ? tags : null;
    at = at.parent === null ? null : context.store.image(at.parent);
  }
}
