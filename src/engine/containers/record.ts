/**
 * What the database keeps of a container, as one JSON document in `containers.record`. Configuration keeps Docker's keys as the
 * client sent them, merged with the image's.
 */
import type { ContainerConfig, Health, HostConfig, PortMap } from '../../api/types/container.ts';
import type { EndpointSettings } from '../../api/types/network.ts';
import type { ContainerState } from './states.ts';

/** One place inside the container where something else than its own root is mounted. */
export interface MountRecord {
  type: 'bind' | 'volume' | 'tmpfs' | 'image';
  /** Absolute path on the host; of an image its id; empty for tmpfs. */
  source: string;
  /** Clean absolute path in the container. */
  destination: string;
  /** Name of the volume, or of the image as it was asked for; empty for other types. */
  name: string;
  driver: string;
  /** The options as the user wrote them after the second colon. */
  mode: string;
  writable: boolean;
  /** Empty for volumes and tmpfs. */
  propagation: string;
  /** Asked for by `Binds`: a missing source is made at the start. */
  createSource: boolean;
  nonRecursive: boolean;
  /** How far `readonly` reaches into mounts below the source. */
  readOnly: 'recursive-if-possible' | 'recursive' | 'flat';
  /** Directory inside the volume or image that is mounted instead of its root; empty: the root. */
  subpath: string;
  /** Fill an empty volume with what the image has at this place. */
  copyUp: boolean;
  /** Made for this container without a name: goes with `rm -v` and `--rm`. */
  anonymous: boolean;
  /** Mount options of a tmpfs, comma-separated. */
  data: string;
}

export interface ContainerRecord {
  id: string;
  /** Without the leading slash. */
  name: string;
  /** RFC 3339 with nanoseconds, like every time here. */
  created: string;
  /** `sha256:…`; empty for a container without an image. */
  image: string;
  config: ContainerConfig;
  hostConfig: HostConfig;
  /** What runs: first word and the rest, entrypoint and command joined. */
  path: string;
  arguments: string[];
  /** What the client asked of networks, by name or id. */
  endpoints: Record<string, EndpointSettings>;
  /** Set once the container was connected or disconnected after its creation: all networks that it joins. */
  networks?: Record<string, EndpointSettings>;
  mounts: MountRecord[];
  state: ContainerState;
  exitCode: number;
  error: string;
  oomKilled: boolean;
  startedAt: string;
  finishedAt: string;
  restartCount: number;
  /** Somebody stopped it: `unless-stopped` leaves it so over a restart of the engine. */
  stoppedByUser: boolean;
  /** What its checks said. Null: it has none, or never ran. */
  health: Health | null;
  /** Set by a removal that takes the anonymous volumes along, as `--rm` always does. */
  leavesWithVolumes?: boolean;
  /** Networks and published ports of the running container. Null: it does not run. */
  sandbox: { networks: Record<string, EndpointSettings>; ports: PortMap } | null;
  /** What inspect goes on showing of its networks after it has ended, as Docker's does. */
  lastNetworks?: Record<string, Pick<EndpointSettings, 'NetworkID' | 'DNSNames'>>;
}

/** The sandbox is gone; what is known of its networks by name stays. */
export function leaveSandbox(record: ContainerRecord): void {
  if (!record.sandbox) return;
  const networks = Object.entries(record.sandbox.networks);
  record.lastNetworks = Object.fromEntries(
    networks.map(([name, { NetworkID, DNSNames }]) => [name, { NetworkID, DNSNames }]),
  );
  record.sandbox = null;
}

/** What Docker shows for a time that has not come. */
export const never = '0001-01-01T00:00:00Z';

/** The state of a container that was made and never started. */
export const neverStarted = {
  state: 'created',
  exitCode: 0,
  error: '',
  oomKilled: false,
  startedAt: never,
  finishedAt: never,
  restartCount: 0,
  stoppedByUser: false,
  health: null,
  sandbox: null,
} as const satisfies Partial<ContainerRecord>;
