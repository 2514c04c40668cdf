/** Shapes image replies for the API version that a client asked for. The engine gives today's types. */
import type { ImageInspect, ImageSummary } from '../types/image.ts';

export function shapeImageSummary(image: ImageSummary, version: number): unknown {
  const shaped: Record<string, unknown> = { ...image };
  if (version < 51) shaped['Containers'] = -1;
  if (version < 44) shaped['VirtualSize'] = image.Size;
  if (version < 43) {
    const dangling = image.RepoTags.length === 0 && image.RepoDigests.length === 0;
    if (dangling) shaped['RepoTags'] = ['<none>:<none>'];
    if (dangling) shaped['RepoDigests'] = ['<none>@<none>'];
    else if (image.RepoDigests.length === 0) shaped['RepoDigests'] = null;
  }
  return shaped;
}

/** Keys of a container that an image's config carried along until 1.50. */
const legacyConfig = {
  Hostname: '',
  Domainname: '',
  AttachStdin: false,
  AttachStdout: false,
  AttachStderr: false,
  Tty: false,
  OpenStdin: false,
  StdinOnce: false,
  Image: '',
};

const emptyContainerConfig = {
  ...legacyConfig,
  User: '',
  Env: null,
  Cmd: null,
  Volumes: null,
  WorkingDir: '',
  Entrypoint: null,
  OnBuild: null,
  Labels: null,
};

export function shapeImageInspect(image: ImageInspect, version: number): unknown {
  const shaped: Record<string, unknown> = { ...image };
  if (version < 50 && image.Config) shaped['Config'] = { ...legacyConfig, ...image.Config };
  if (version >= 52) omitEmpty(shaped);
  if (version < 45) shaped['ContainerConfig'] = emptyContainerConfig;
  if (version < 44) {
    shaped['VirtualSize'] = image.Size;
    shaped['Created'] = image.Created ?? '0001-01-01T00:00:00Z';
  }
  return shaped;
}

/** From 1.52 on keys without a value are left out. */
function omitEmpty(shaped: Record<string, unknown>): void {
  for (const key of ['Parent', 'Comment', 'DockerVersion', 'Author']) if (shaped[key] === '') delete shaped[key];
  if (!shaped['Config']) return;
  const config: Record<string, unknown> = { ...(shaped['Config'] as object) };
  for (const [key, value] of Object.entries(config)) if (value === null || value === '') delete config[key];
  shaped['Config'] = config;
}
