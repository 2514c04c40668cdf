import type { ContainerInspect, ContainerState, MountPoint } from '../../api/types/container.ts';
import type { EndpointSettings } from '../../api/types/network.ts';
import type { Container } from './container.ts';
import type { ContainerContext } from './context.ts';
import { shownLinks } from './links.ts';
import type { MountRecord } from './record.ts';
import { isRunning } from './states.ts';
import { wantedNetworks } from './wanted-networks.ts';

/** Docker's whole picture of a container. Takes no lock. Error: `not-found`. */
export function inspectContainer(context: ContainerContext, reference: string): ContainerInspect {
  const container = context.index.find(reference);
  const { record } = container;
  const paths = context.dependencies.paths.container(record.id);
  const fileDriver = record.hostConfig.LogConfig.Type === 'json-file';
  return {
    Id: record.id,
    Created: record.created,
    Path: record.path,
    Args: record.arguments,
    State: stateOf(container),
    Image: record.image,
    ResolvConfPath: paths.resolvConf,
    HostnamePath: paths.hostname,
    HostsPath: paths.hosts,
    LogPath: fileDriver ? paths.log : '',
    Name: `/${record.name}`,
    RestartCount: record.restartCount,
    Driver: 'overlay2',
    Platform: 'linux',
    MountLabel: '',
    ProcessLabel: '',
    AppArmorProfile: '',
    ExecIDs: container.execs.size > 0 ? [...container.execs] : null,
    HostConfig: { ...record.hostConfig, Links: shownLinks(container, context.index) },
    GraphDriver: { Name: 'overlay2', Data: { ID: record.id, UpperDir: paths.upper, WorkDir: paths.work } },
    Mounts: record.mounts.filter((mount) => mount.type !== 'tmpfs' || isMountsEntry(container, mount)).map(mountPoint),
    Config: record.config,
    NetworkSettings: {
      SandboxID: record.sandbox ? record.id : '',
      SandboxKey: container.pid ? `/proc/${container.pid}/ns/net` : '',
      Ports: record.sandbox?.ports ?? {},
      Networks: networksOf(container),
    },
  };
}

function stateOf(container: Container): ContainerState {
  const { record } = container;
  const alive = container.pid !== 0;
  return {
    Status: record.state,
    Running: isRunning(record.state) || (record.state === 'removing' && alive),
    Paused: record.state === 'paused',
    Restarting: record.state === 'restarting',
    OOMKilled: record.oomKilled,
    Dead: record.state === 'dead',
    Pid: container.pid,
    ExitCode: record.exitCode,
    Error: record.error,
    StartedAt: record.startedAt,
    FinishedAt: record.finishedAt,
    ...(record.health && { Health: record.health }),
  };
}

/** Docker shows a tmpfs of `Mounts` here, one of `Tmpfs` only in the host configuration. */
function isMountsEntry(container: Container, mount: MountRecord): boolean {
  return !(mount.destination in (container.record.hostConfig.Tmpfs ?? {}));
}

/** A mount in the form of inspect and list. */
export function mountPoint(mount: MountRecord): MountPoint {
  const point: MountPoint = {
    Type: mount.type,
    Source: mount.source,
    Destination: mount.destination,
    Mode: mount.mode,
    RW: mount.writable,
    Propagation: mount.propagation,
  };
  if (mount.type === 'image') return { Type: point.Type, Name: mount.name, ...point };
  if (mount.type !== 'volume') return point;
  return {
    Type: mount.type,
    Name: mount.name,
    Source: mount.source,
    Destination: mount.destination,
    Driver: mount.driver,
    Mode: mount.mode,
    RW: mount.writable,
    Propagation: mount.propagation,
  };
}

/** The networks in use; of a container that does not run those that it would join. */
export function networksOf(container: Container): Record<string, EndpointSettings> {
  const { record } = container;
  const wanted = wantedNetworks(record);
  if (!record.sandbox)
    return Object.fromEntries(
      Object.entries(wanted).map(([name, endpoint]) => [name, { ...endpoint, ...record.lastNetworks?.[name] }]),
    );
  const networks: Record<string, EndpointSettings> = {};
  for (const [name, endpoint] of Object.entries(record.sandbox.networks)) {
    const asked = wanted[name] ?? wanted[endpoint.NetworkID];
    networks[name] = asked ? withWishes(endpoint, asked) : endpoint;
  }
  return networks;
}

/** What the user asked for is shown as it was asked, beside what came of it. */
function withWishes(endpoint: EndpointSettings, asked: EndpointSettings): EndpointSettings {
  return {
    ...endpoint,
    IPAMConfig: asked.IPAMConfig ?? endpoint.IPAMConfig,
    Links: asked.Links ?? endpoint.Links,
    DriverOpts: asked.DriverOpts ?? endpoint.DriverOpts,
  };
}
