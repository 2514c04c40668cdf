import { BerthError } from '../../api/errors.ts';
import type { HostConfig } from '../../api/types/container.ts';
import type { HostFacts } from '../../host/facts.ts';
import type { ContainerIndex } from './container-index.ts';
import type { ContainerSettings } from './settings.ts';
import { defaultMaskedPaths, defaultReadonlyPaths } from './spec/bundle.ts';
import { containerOfMode, isContainerMode } from './spec/namespaces.ts';

/** What the missing parts are taken from. */
export interface FillContext {
  settings: ContainerSettings;
  host: HostFacts;
  index: ContainerIndex;
}

/** Writes the engine's defaults into a container's own `HostConfig`, as Docker does, so that they outlive a change of them. */
export function fillHostConfig(host: HostConfig, context: FillContext): void {
  const { settings, host: facts } = context;
  if (host.Memory > 0 && (host.MemorySwap === 0 || host.MemorySwap === 0n)) host.MemorySwap = doubled(host.Memory);
  if (host.ShmSize === 0 || host.ShmSize === 0n) host.ShmSize = settings.shmSize;
  if (host.IpcMode === '') host.IpcMode = settings.ipcMode;
  if (host.CgroupnsMode === '') host.CgroupnsMode = defaultCgroupns(host, context);
  if (host.NetworkMode === '' || host.NetworkMode === 'default') host.NetworkMode = 'bridge';
  if (host.RestartPolicy.Name === '') host.RestartPolicy = { Name: 'no', MaximumRetryCount: 0 };
  if (host.Runtime === '') host.Runtime = settings.defaultRuntime;
  if (host.OomKillDisable === null && facts.cgroup.oomKillDisable) host.OomKillDisable = false;
  if (host.LogConfig.Type === '' || host.LogConfig.Type === settings.logDriver)
    host.LogConfig = { Type: settings.logDriver, Config: { ...settings.logOptions, ...host.LogConfig.Config } };
  if (host.LogConfig.Config === null) host.LogConfig = { Type: host.LogConfig.Type, Config: {} };
  if (host.StorageOpt && Object.keys(host.StorageOpt).length === 0) delete host.StorageOpt;
  if (host.Privileged) {
    host.MaskedPaths = null;
    host.ReadonlyPaths = null;
    if (!host.SecurityOpt?.some((option) => option.startsWith('label')))
      host.SecurityOpt = [...(host.SecurityOpt ?? []), 'label=disable'];
  } else {
    host.MaskedPaths ??= [...defaultMaskedPaths];
    host.ReadonlyPaths ??= [...defaultReadonlyPaths];
  }
  pinModes(host, context.index);
}

function doubled(memory: number | bigint): number | bigint {
  const exact = BigInt(memory) * 2n;
  return exact <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(exact) : exact;
}

function defaultCgroupns(host: HostConfig, { settings, host: facts }: FillContext): 'host' | 'private' {
  if (host.Privileged) return 'host';
  return settings.cgroupnsMode || (facts.cgroup.version === 2 ? 'private' : 'host');
}

/** `container:name` becomes `container:id`, which a rename does not break. */
function pinModes(host: HostConfig, index: ContainerIndex): void {
  if (isContainerMode(host.NetworkMode)) {
    try {
      host.NetworkMode = `container:${index.find(containerOfMode(host.NetworkMode)).id}`;
    } catch {
      // Docker finds out at the start; the mode stays as the user wrote it.
    }
  }
  if (isContainerMode(host.PidMode)) host.PidMode = `container:${mustFind(index, host.PidMode)}`;
  if (isContainerMode(host.IpcMode)) host.IpcMode = `container:${mustFind(index, host.IpcMode)}`;
}

function mustFind(index: ContainerIndex, mode: string): string {
  const reference = containerOfMode(mode);
  try {
    return index.find(reference).id;
  } catch (cause) {
    throw new BerthError('invalid', `No such container: ${reference}`, { cause });
  }
}
