/** Shapes system replies for the API version that a client asked for. The engine gives today's types. */
import type { DiskUsage, SystemInfo, UsageSummaries } from '../types/system.ts';
import type { Volume } from '../types/volume.ts';
import { shapeContainerSummary } from './container.ts';
import { shapeImageSummary } from './image.ts';

export function shapeInfo(info: SystemInfo, version: number): unknown {
  const shaped: Record<string, unknown> = { ...info };
  if (version < 25)
    shaped['SecurityOptions'] = info.SecurityOptions.map((option) => option.replace(/^name=/, '').replace(/,.*$/, ''));
  if (version >= 52) delete shaped['KernelMemoryTCP'];
  if (version < 42) shaped['KernelMemory'] = true;
  if (version < 44)
    shaped['Runtimes'] = Object.fromEntries(
      Object.entries(info.Runtimes).map(([name, { status: _status, ...runtime }]) => [name, runtime]),
    );
  if (version < 47)
    shaped['RegistryConfig'] = {
      AllowNondistributableArtifactsCIDRs: null,
      AllowNondistributableArtifactsHostnames: null,
      ...info.RegistryConfig,
    };
  if (version < 49) {
    delete shaped['FirewallBackend'];
    for (const key of ['ContainerdCommit', 'RuncCommit', 'InitCommit'] as const)
      if (info[key].ID !== '') shaped[key] = { ID: info[key].ID, Expected: info[key].ID };
  }
  if (version < 50) {
    shaped['BridgeNfIptables'] = false;
    shaped['BridgeNfIp6tables'] = false;
  }
  return shaped;
}

/**
 * Lists until 1.51; sums beside them in 1.52, and with the `verbose` parameter sums alone, with the lists inside where it is true.
 * @param verbose null: not given
 */
export function shapeDiskUsage(usage: DiskUsage, version: number, verbose: boolean | null): unknown {
  if (version < 52) return legacyLists(usage, version);
  const sums = summaries(usage);
  if (verbose === null) return { ...legacyLists(usage, version), ...sums };
  if (!verbose) return sums;
  const lists = legacyLists(usage, version);
  const items: Record<string, unknown> = {
    ImageUsage: lists['Images'],
    ContainerUsage: lists['Containers'],
    VolumeUsage: lists['Volumes'],
    BuildCacheUsage: lists['BuildCache'],
  };
  return Object.fromEntries(Object.entries(sums).map(([key, sum]) => [key, { ...sum, Items: items[key] }]));
}

function legacyLists(usage: DiskUsage, version: number): Record<string, unknown> {
  const shaped: Record<string, unknown> = {};
  if (usage.Images) {
    shaped['LayersSize'] = usage.LayersSize ?? 0;
    if (version < 42) shaped['BuilderSize'] = 0;
    shaped['Images'] = usage.Images.map((image) => ({
      ...(shapeImageSummary(image, Math.max(version, 51)) as object),
      ...(version < 44 ? { VirtualSize: image.Size } : {}),
    }));
  }
  if (usage.Containers)
    shaped['Containers'] = usage.Containers.map((container) => shapeContainerSummary(container, version));
  if (usage.Volumes) shaped['Volumes'] = usage.Volumes;
  if (usage.BuildCache) shaped['BuildCache'] = usage.BuildCache;
  return shaped;
}

const busyStates = new Set(['running', 'paused', 'restarting']);

function summaries(usage: DiskUsage): UsageSummaries {
  const sums: UsageSummaries = {};
  if (usage.Images) {
    const total = usage.LayersSize ?? 0;
    const active = usage.Images.filter((image) => image.Containers > 0);
    const used = sum(active, (image) => image.Size - Math.max(0, image.SharedSize));
    sums.ImageUsage = {
      ActiveCount: active.length,
      TotalCount: usage.Images.length,
      TotalSize: total,
      Reclaimable: Math.max(0, total - used),
    };
  }
  if (usage.Containers) {
    const idle = usage.Containers.filter((container) => !busyStates.has(container.State));
    sums.ContainerUsage = {
      ActiveCount: usage.Containers.length - idle.length,
      TotalCount: usage.Containers.length,
      TotalSize: sum(usage.Containers, (container) => container.SizeRw ?? 0),
      Reclaimable: sum(idle, (container) => container.SizeRw ?? 0),
    };
  }
  if (usage.Volumes) {
    const size = (volume: Volume): number => Math.max(0, volume.UsageData?.Size ?? 0);
    const unused = usage.Volumes.filter((volume) => (volume.UsageData?.RefCount ?? 0) === 0);
    sums.VolumeUsage = {
      ActiveCount: usage.Volumes.length - unused.length,
      TotalCount: usage.Volumes.length,
      TotalSize: sum(usage.Volumes, size),
      Reclaimable: sum(unused, size),
    };
  }
  if (usage.BuildCache)
    sums.BuildCacheUsage = {
      ActiveCount: usage.BuildCache.filter(({ InUse }) => InUse).length,
      TotalCount: usage.BuildCache.length,
      TotalSize: sum(usage.BuildCache, ({ Size }) => Size),
      Reclaimable: sum(
        usage.BuildCache.filter(({ InUse, Shared }) => !InUse && !Shared),
        ({ Size }) => Size,
      ),
    };
  return sums;
}

function sum<T>(items: readonly T[], size: (item: T) => number): number {
  return items.reduce((total, item) => total + size(item), 0);
}
