/** Shapes system replies for the API version that a client asked for. The engine gives today's types. */
import type { DiskUsage, SystemInfo } from '../types/system.ts';
import { shapeContainerSummary } from './container.ts';
import { shapeImageSummary } from './image.ts';

export function shapeInfo(info: SystemInfo, version: number): unknown {
  const shaped: Record<string, unknown> = { ...info };
  if (version < 25)
    shaped['SecurityOptions'] = info.SecurityOptions.map((option) => option.replace(/^name=/, '').replace(/,.*$/, ''));
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

/** The lists that were asked for, with the images' second size before 1.44. */
export function shapeDiskUsage(usage: DiskUsage, version: number): unknown {
  const shaped: Record<string, unknown> = {};
  if (usage.Images) {
    shaped['LayersSize'] = usage.LayersSize ?? 0;
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
