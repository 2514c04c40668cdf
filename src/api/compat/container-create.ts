/** Brings a create request of an older API version to today's meaning, as dockerd does. */
import { BerthError } from '../errors.ts';
import { endpointSettings } from '../schemas/network.ts';
import type { ContainerConfig, HostConfig, MountRequest, PortMap } from '../types/container.ts';
import type { EndpointSettings } from '../types/network.ts';

export interface CreateParts {
  config: ContainerConfig;
  hostConfig: HostConfig;
  /** By network name or id. */
  endpoints: Record<string, EndpointSettings>;
}

/**
 * Changes `request` in place.
 * @returns warnings for the answer. Error: `invalid` for what the version forbids.
 */
export function upgradeCreateRequest(request: CreateParts, version: number, host: { cgroup2: boolean }): string[] {
  const { config, hostConfig, endpoints } = request;
  if (hostConfig.NetworkMode === '' || hostConfig.NetworkMode === 'default') {
    hostConfig.NetworkMode = 'bridge';
    if (endpoints['default']) {
      endpoints['bridge'] = endpoints['default'];
      delete endpoints['default'];
    }
  }
  // The client removes the container itself.
  if (version < 25) hostConfig.AutoRemove = false;
  if (version < 40) {
    delete hostConfig.KernelMemoryTCP;
    if (hostConfig.IpcMode === '') hostConfig.IpcMode = 'shareable';
  }
  if (version < 41 && !host.cgroup2 && hostConfig.CgroupnsMode === '') hostConfig.CgroupnsMode = 'host';
  if (version < 42) hostConfig.ConsoleSize = [0, 0];
  else delete hostConfig.KernelMemory;
  if (version < 43) delete hostConfig.Annotations;
  if (version < 44 && config.Healthcheck) delete config.Healthcheck.StartInterval;
  for (const mount of hostConfig.Mounts ?? []) upgradeMount(mount, version);
  if (version < 44 && Object.keys(endpoints).length > 1)
    throw new BerthError(
      'invalid',
      `Container cannot be created with multiple network endpoints: ${Object.keys(endpoints).join(', ')}`,
    );
  if (version < 48) for (const endpoint of Object.values(endpoints)) endpoint.GwPriority = 0;
  const warnings = [
    ...warnOfVolumeDriver(hostConfig, version),
    ...moveMacAddress(request, version),
    ...fillPortBindings(hostConfig, version),
  ];
  if (hostConfig.PidsLimit !== null && hostConfig.PidsLimit <= 0) hostConfig.PidsLimit = null;
  return warnings;
}

function warnOfVolumeDriver(hostConfig: HostConfig, version: number): string[] {
  const ignored = (hostConfig.Mounts ?? []).some(
    (mount) => mount.Type === 'volume' && !mount.VolumeOptions?.DriverConfig?.Name,
  );
  if (hostConfig.VolumeDriver === '' || version < 48 || !ignored) return [];
  return [
    "WARNING: the container-wide volume-driver configuration is ignored for volumes specified via 'mount'. Use '--mount type=volume,volume-driver=...' instead",
  ];
}

/** A port with an empty list of bindings is bound to any free port; from 1.53 on it will not be. */
function fillPortBindings(hostConfig: HostConfig, version: number): string[] {
  const empty: string[] = [];
  for (const [port, bindings] of Object.entries(hostConfig.PortBindings ?? {})) {
    if (bindings && bindings.length > 0) continue;
    empty.push(port);
    (hostConfig.PortBindings as PortMap)[port] = [{ HostIp: '', HostPort: '' }];
  }
  if (empty.length === 0 || version < 52) return [];
  return [
    `Following container port(s) have an empty list of port-bindings: ${empty.join(', ')}. Starting with API 1.53, such bindings will be discarded.`,
  ];
}

function upgradeMount(mount: MountRequest, version: number): void {
  const { BindOptions: bind, VolumeOptions: volume, TmpfsOptions: tmpfs } = mount;
  if (version < 42) {
    // Not looked at then: what does not fit the type was let pass.
    if (bind) delete bind.CreateMountpoint;
    if (volume && mount.Type !== 'volume') delete mount.VolumeOptions;
    if (tmpfs && mount.Type !== 'tmpfs') delete mount.TmpfsOptions;
  } else {
    const misplaced =
      volume && mount.Type !== 'volume'
        ? 'VolumeOptions'
        : bind && mount.Type !== 'bind'
          ? 'BindOptions'
          : tmpfs && mount.Type !== 'tmpfs'
            ? 'TmpfsOptions'
            : null;
    if (misplaced)
      throw new BerthError('invalid', `${misplaced} must not be specified on mount type ${JSON.stringify(mount.Type)}`);
  }
  if (version < 40 && bind) delete bind.NonRecursive;
  if (version < 44 && mount.Type === 'bind') {
    if (bind?.ReadOnlyForceRecursive)
      throw new BerthError('invalid', 'BindOptions.ReadOnlyForceRecursive needs API v1.44 or newer');
    // Read-only mounts reached only as far as their own file system.
    if (mount.ReadOnly) mount.BindOptions = { ...bind, ReadOnlyNonRecursive: true };
  }
  if (version < 45 && mount.VolumeOptions?.Subpath)
    throw new BerthError('invalid', 'VolumeOptions.Subpath needs API v1.45 or newer');
  if (version < 48 && mount.Type === 'image')
    throw new BerthError('invalid', 'Mount type "Image" needs API v1.48 or newer');
}

/** The address of the container as a whole becomes that of its first network. */
function moveMacAddress({ config, hostConfig, endpoints }: CreateParts, version: number): string[] {
  const address = config.MacAddress;
  delete config.MacAddress;
  const mode = hostConfig.NetworkMode;
  const takesAddress = mode !== 'none' && mode !== 'host' && !mode.startsWith('container:');
  if (version < 44) {
    // An endpoint had no address of its own then.
    for (const endpoint of Object.values(endpoints)) endpoint.MacAddress = '';
    if (!address) return [];
    if (!takesAddress) throw new BerthError('invalid', 'conflicting options: mac-address and the network mode');
    endpointOf(endpoints, mode, version).MacAddress = address;
    return [];
  }
  if (!address) return [];
  if (takesAddress) {
    const endpoint = endpointOf(endpoints, mode, version);
    if (endpoint.MacAddress === '') endpoint.MacAddress = address;
    else if (endpoint.MacAddress !== address)
      throw new BerthError(
        'invalid',
        'the container-wide MAC address must match the endpoint-specific MAC address for the main network, or be left empty',
      );
  }
  return ['The container-wide MacAddress field is now deprecated. It should be specified in EndpointsConfig instead.'];
}

function endpointOf(endpoints: Record<string, EndpointSettings>, mode: string, version: number): EndpointSettings {
  const [only] = Object.values(endpoints);
  const named = endpoints[mode];
  if (named) return named;
  if (only) {
    if (version < 44) return only;
    throw new BerthError(
      'invalid',
      'unable to migrate container-wide MAC address to a specific network: HostConfig.NetworkMode must match the identity of a network in NetworkSettings.Networks',
    );
  }
  const made = endpointSettings.zero();
  endpoints[mode] = made;
  return made;
}
