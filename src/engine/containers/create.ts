import { randomBytes } from 'node:crypto';
import { BerthError } from '../../api/errors.ts';
import type { ContainerConfig, ContainerCreateResponse, HostConfig } from '../../api/types/container.ts';
import type { ContainerCreateOptions } from '../../api/types/container-requests.ts';
import type { EndpointSettings } from '../../api/types/network.ts';
import { failpoint } from '../../base/failpoint.ts';
import type { ContainerImage } from '../images/types.ts';
import { checkLogOptions } from '../logs/log-options.ts';
import { timestamp } from './clock.ts';
import type { Container } from './container.ts';
import type { ContainerContext } from './context.ts';
import { fillHostConfig } from './host-config.ts';
import { enterLinks } from './links.ts';
import { mergeConfig } from './merge-config.ts';
import { collectMounts } from './mounts/collect.ts';
import { checkedName, generateName } from './names.ts';
import { type ContainerRecord, type MountRecord, neverStarted } from './record.ts';
import { finishRemoval } from './remove.ts';
import { limitWarnings } from './spec/limits.ts';
import { checkModes, checkSettings } from './validate/config.ts';
import { checkResources } from './validate/resources.ts';

/**
 * Enters a container into the books; nothing of it runs or is mounted. Resolves when it would survive a power cut, except for
 * `--rm` containers, which nobody misses after one. Errors: dockerd's words and kinds.
 */
export async function createContainer(
  context: ContainerContext,
  options: ContainerCreateOptions,
): Promise<ContainerCreateResponse> {
  const { dependencies, index } = context;
  dependencies.supervisor.prepareStart();
  // Only its own members are changed from here on, never what lies below them.
  const hostConfig = { ...options.hostConfig };
  const warnings = checkRequest(context, options.config, hostConfig);
  const image = findImage(context, options);
  const config = mergeConfig(options.config, image?.config ?? null);
  checkLogOptions(hostConfig.LogConfig.Type || dependencies.settings.logDriver, hostConfig.LogConfig.Config ?? {});
  fillHostConfig(hostConfig, { settings: dependencies.settings, host: dependencies.host, index });
  enterLinks(hostConfig, index);
  const name =
    options.name === '' ? generateName((taken) => index.byName(taken) !== undefined) : checkedName(options.name);
  index.checkName(name);
  const borrowed: string[] = [];
  let entered: Container | null = null;
  try {
    const mounts = await collectMounts(config, hostConfig, {
      volumes: dependencies.volumes,
      mountsOf: (reference) => index.find(reference).record.mounts,
      sourceExists: (path) => dependencies.files.sourceExists(path),
      borrowed,
      imageOf: (reference) => dependencies.images.resolve(reference).id,
    });
    const record = newRecord(
      { name, config, hostConfig, image, mounts, endpoints: options.endpoints },
      dependencies.host.hostname,
    );
    for (const mount of mounts) {
      if (mount.copyUp && image) await fillVolume(context, image, mount);
    }
    await failpoint('run.before-create');
    const container = index.add(record, () => dependencies.volumes.claim(borrowed));
    entered = container;
    await failpoint('run.after-create');
    container.imageLayers = image?.lower ?? [];
    container.prepared = dependencies.files.prepare(record.id);
    // The failure is the start's to tell; until then it must not count as unhandled.
    container.prepared.catch(() => {});
    if (!hostConfig.AutoRemove) await dependencies.database.durable();
    context.publish(container, 'create');
    return { Id: record.id, Warnings: warnings };
  } catch (error) {
    // Nobody has been told of it.
    if (entered) await takeBack(context, entered);
    throw error;
  } finally {
    const report = (error: unknown): void => dependencies.report('create container', error);
    await Promise.all(borrowed.map((volume) => dependencies.volumes.release(volume).catch(report)));
  }
}

async function takeBack(context: ContainerContext, container: Container): Promise<void> {
  if (container.state !== 'created') return;
  container.move('remove');
  container.record.leavesWithVolumes = true;
  await finishRemoval(context, container).catch((error: unknown) =>
    context.dependencies.report('create container', error),
  );
}

/** An empty volume gets what the image has at its place, as with Docker. */
async function fillVolume(context: ContainerContext, image: ContainerImage, mount: MountRecord): Promise<void> {
  const { files, volumes } = context.dependencies;
  const lower = [await files.initLayer(image.id, image.lower), ...image.lower];
  if (!(await files.hasEntry(lower, mount.destination))) return;
  const holder = `copy-up ${randomBytes(8).toString('hex')}`;
  await volumes.hold(mount.name, holder);
  try {
    await files.copyUp(lower, mount.destination, mount.source);
  } finally {
    await volumes.letGo(holder);
  }
}

/** Everything that can be said without looking at the image. Gives warnings. */
function checkRequest(context: ContainerContext, config: ContainerConfig, hostConfig: HostConfig): string[] {
  const { host, settings } = context.dependencies;
  checkModes(config, hostConfig);
  const warnings = checkResources(hostConfig, host);
  checkSettings(config, hostConfig, {
    availableCapabilities: new Set(context.bundles.availableCapabilities),
    hasRuntime: (name) => settings.runtimes.has(name),
  });
  if (hostConfig.NetworkMode === 'host' && Object.keys(hostConfig.PortBindings ?? {}).length > 0)
    warnings.push('Published ports are discarded when using host network mode');
  warnings.push(...limitWarnings(settings.ulimits, hostConfig, host));
  return warnings;
}

function findImage(context: ContainerContext, options: ContainerCreateOptions): ContainerImage | null {
  const reference = options.config.Image;
  if (reference === '') return null;
  const image = context.dependencies.images.resolve(reference);
  const wanted = options.platform;
  if (wanted && (wanted.os !== image.os || wanted.architecture !== image.architecture))
    throw new BerthError(
      'not-found',
      `image with reference ${reference} was found but its platform (${image.os}/${image.architecture}) does not match the specified platform (${wanted.os}/${wanted.architecture})`,
    );
  return image;
}

interface RecordParts {
  name: string;
  config: ContainerConfig;
  hostConfig: HostConfig;
  image: ContainerImage | null;
  mounts: ContainerRecord['mounts'];
  endpoints: Record<string, EndpointSettings>;
}

function newRecord(parts: RecordParts, machine: string): ContainerRecord {
  const id = newContainerId();
  const { config, hostConfig } = parts;
  if (config.Hostname === '') config.Hostname = hostConfig.NetworkMode === 'host' ? machine : shortId(id);
  const words = [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])];
  return {
    id,
    name: parts.name,
    created: timestamp(),
    image: parts.image?.id ?? '',
    config,
    hostConfig,
    path: words[0] as string,
    arguments: words.slice(1),
    endpoints: parts.endpoints,
    mounts: parts.mounts,
    ...neverStarted,
  };
}

const shortLength = 12;

function shortId(id: string): string {
  return id.slice(0, shortLength);
}

/** 64 hex digits whose short form is not a number, which would make a bad host name. */
function newContainerId(): string {
  for (;;) {
    const id = randomBytes(32).toString('hex');
    if (!/^\d+$/.test(shortId(id))) return id;
  }
}
