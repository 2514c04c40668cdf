/** All mounts of a new container: what its options name, what other containers lend, what its image declares. */
import { BerthError, errorMessage } from '../../../api/errors.ts';
import type { ContainerConfig, HostConfig } from '../../../api/types/container.ts';
import type { ContainerVolumes } from '../../volumes/types.ts';
import type { MountRecord } from '../record.ts';
import { parseMode } from './mode.ts';
import {
  anonymousVolume,
  cleanPath,
  type ParsedMount,
  parseBind,
  parseMount,
  parseTmpfs,
  type SourceExists,
} from './parse.ts';

export interface CollectContext {
  volumes: ContainerVolumes;
  /** Mounts of another container, for `--volumes-from`. Error: `not-found`. */
  mountsOf(reference: string): readonly MountRecord[];
  sourceExists: SourceExists;
  /** Id of an image. Error: `not-found`. */
  imageOf(reference: string): string;
  /** Names of the volumes that were borrowed for the container; the caller releases each of them. */
  borrowed: string[];
}

/** Anonymous and new volumes are made, and lent until the caller claims them. Errors: dockerd's words for mounts that cannot be. */
export async function collectMounts(
  config: ContainerConfig,
  host: HostConfig,
  context: CollectContext,
): Promise<MountRecord[]> {
  const byTarget = new Map<string, ParsedMount>();
  for (const mount of lentMounts(host.VolumesFrom ?? [], context)) byTarget.set(mount.record.destination, mount);
  const named = new Set<string>();
  const add = (mount: ParsedMount): void => {
    const target = mount.record.destination;
    if (named.has(target)) throw new BerthError('invalid', `Duplicate mount point: ${mount.target ?? target}`);
    named.add(target);
    byTarget.set(target, mount);
  };
  for (const bind of host.Binds ?? []) add(parseBind(bind, host.VolumeDriver));
  for (const mount of host.Mounts ?? []) add(await parseMount(mount, context.sourceExists));
  for (const [target, options] of Object.entries(host.Tmpfs ?? {})) add(parseTmpfs(target, options));
  for (const target of Object.keys(config.Volumes ?? {})) {
    // An image may say `VOLUME data`: it lies below the root.
    const path = cleanPath(`/${target}`);
    if (path === '/') throw new BerthError('invalid', `invalid volume: '${target}' is not a path below '/'`);
    if (!byTarget.has(path)) byTarget.set(path, anonymousVolume(path));
  }
  const records: MountRecord[] = [];
  for (const mount of byTarget.values()) {
    if (mount.record.type === 'volume' && mount.record.source === '') await attachVolume(mount, context);
    if (mount.record.type === 'image') mount.record.source = context.imageOf(mount.record.name);
    records.push(mount.record);
  }
  return records;
}

function lentMounts(sources: readonly string[], context: CollectContext): ParsedMount[] {
  return sources.flatMap((source) => {
    if (source === '') throw new BerthError('invalid', 'volumes-from specification cannot be an empty string');
    const [, reference = '', modeText = 'rw'] = /^([^:]*)(?::(.*))?$/s.exec(source) ?? [];
    const mode = parseMode(modeText);
    if (mode === null || mode.propagation !== null || mode.copy !== null)
      throw new BerthError('invalid', `invalid mode: ${modeText}`);
    return mountsOf(reference, context)
      .filter((mount) => mount.type !== 'tmpfs')
      .map((mount) => ({
        record: {
          ...mount,
          writable: mount.writable && !mode.readOnly,
          // Of a volume the options stay with the container that named them.
          mode: mount.type === 'volume' ? '' : mount.mode,
          anonymous: false,
          copyUp: false,
        },
        driverOptions: null,
        labels: null,
      }));
  });
}

/** A container that does not exist is the request's fault here, as under dockerd. */
function mountsOf(reference: string, context: CollectContext): readonly MountRecord[] {
  try {
    return context.mountsOf(reference);
  } catch (cause) {
    throw new BerthError('invalid', errorMessage(cause), { cause });
  }
}

async function attachVolume(mount: ParsedMount, context: CollectContext): Promise<void> {
  const { record } = mount;
  record.anonymous = record.name === '';
  const volume = await context.volumes.borrow({
    name: record.name,
    driver: record.driver,
    options: mount.driverOptions,
    labels: mount.labels,
  });
  context.borrowed.push(volume.name);
  record.name = volume.name;
  record.driver = volume.driver;
  record.source = volume.mountpoint;
}
