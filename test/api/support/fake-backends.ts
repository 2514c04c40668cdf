/** Backends without an engine: every verb records its call and answers what the test sets, or something plausible. */
import { type Duplex, PassThrough, Readable } from 'node:stream';
import type { BerthError } from '../../../src/api/errors.ts';
import type { ContainerInspect, ContainerSummary } from '../../../src/api/types/container.ts';
import type { EventMessage } from '../../../src/api/types/events.ts';
import type { ImageInspect, ImageSummary } from '../../../src/api/types/image.ts';
import type { EndpointSettings, NetworkInspect } from '../../../src/api/types/network.ts';
import type { SystemInfo, VersionInfo } from '../../../src/api/types/system.ts';
import type { Backends } from '../../../src/server/create-server.ts';
import type { AttachedStreams } from '../../../src/server/routers/container/backend.ts';
import { ContainerHostConfigZero } from './zero.ts';

export interface Call {
  verb: string;
  arguments: unknown[];
}

/** What a test may put in the place of a verb, by name, for example `lifecycle.start`. */
export type Overrides = Record<string, (...args: never[]) => unknown>;

export interface Fake {
  backends: Backends;
  calls: Call[];
  publish(event: EventMessage): void;
  listeners(): number;
}

/** An echo: what is written comes back; the end comes back as the end. */
export function echo(): Duplex {
  return new PassThrough();
}

export function attached(stream: Duplex, terminal = false): AttachedStreams {
  return { stream, terminal, detached: () => {} };
}

export const endpoint: EndpointSettings = {
  IPAMConfig: null,
  Links: null,
  Aliases: null,
  MacAddress: '02:42:ac:11:00:02',
  DriverOpts: null,
  GwPriority: 0,
  NetworkID: 'c'.repeat(64),
  EndpointID: 'd'.repeat(64),
  Gateway: '172.17.0.1',
  IPAddress: '172.17.0.2',
  IPPrefixLen: 16,
  IPv6Gateway: '',
  GlobalIPv6Address: '',
  GlobalIPv6PrefixLen: 0,
  DNSNames: null,
};

export const summary: ContainerSummary = {
  Id: 'a'.repeat(64),
  Names: ['/one'],
  Image: 'busybox',
  ImageID: `sha256:${'b'.repeat(64)}`,
  Command: 'sleep 1',
  Created: 1_700_000_000,
  Ports: [{ PrivatePort: 80, Type: 'tcp' }],
  Labels: {},
  State: 'running',
  Status: 'Up 3 minutes',
  HostConfig: { NetworkMode: 'bridge', Annotations: { a: 'b' } },
  Health: { Status: 'none', FailingStreak: 0 },
  NetworkSettings: { Networks: { bridge: endpoint } },
  Mounts: [],
};

export const inspect: ContainerInspect = {
  Id: 'a'.repeat(64),
  Created: '2026-01-02T03:04:05.123456789Z',
  Path: 'sleep',
  Args: ['1'],
  State: {
    Status: 'running',
    Running: true,
    Paused: false,
    Restarting: false,
    OOMKilled: false,
    Dead: false,
    Pid: 17,
    ExitCode: 0,
    Error: '',
    StartedAt: '2026-01-02T03:04:05.2Z',
    FinishedAt: '0001-01-01T00:00:00Z',
  },
  Image: `sha256:${'b'.repeat(64)}`,
  ResolvConfPath: '/r',
  HostnamePath: '/h',
  HostsPath: '/o',
  LogPath: '/l',
  Name: '/one',
  RestartCount: 0,
  Driver: 'overlay2',
  Platform: 'linux',
  MountLabel: '',
  ProcessLabel: '',
  AppArmorProfile: '',
  ExecIDs: null,
  HostConfig: { ...ContainerHostConfigZero, NetworkMode: 'bridge', Memory: 2n ** 53n + 1n },
  GraphDriver: { Data: null, Name: 'overlay2' },
  Mounts: [],
  Config: {
    Hostname: 'aaaaaaaaaaaa',
    Domainname: '',
    User: '',
    AttachStdin: false,
    AttachStdout: false,
    AttachStderr: false,
    Tty: false,
    OpenStdin: false,
    StdinOnce: false,
    Env: null,
    Cmd: ['sleep', '1'],
    Image: 'busybox',
    Volumes: null,
    WorkingDir: '',
    Entrypoint: null,
    OnBuild: null,
    Labels: {},
  },
  NetworkSettings: { SandboxID: 'e', SandboxKey: '/run/x', Ports: {}, Networks: { bridge: endpoint, mine: endpoint } },
};

export const image: ImageSummary = {
  Containers: 1,
  Created: 1_700_000_000,
  Id: `sha256:${'b'.repeat(64)}`,
  Labels: null,
  ParentId: '',
  RepoDigests: [],
  RepoTags: ['busybox:latest'],
  SharedSize: -1,
  Size: 1234,
};

export const imageInspect: ImageInspect = {
  Id: image.Id,
  RepoTags: ['busybox:latest'],
  RepoDigests: [],
  Parent: '',
  Comment: '',
  Created: '2026-01-02T03:04:05Z',
  DockerVersion: '',
  Author: '',
  Config: {
    User: '',
    Env: null,
    Cmd: ['sh'],
    Volumes: null,
    WorkingDir: '',
    Entrypoint: null,
    OnBuild: null,
    Labels: null,
  },
  Architecture: 'amd64',
  Os: 'linux',
  Size: 1234,
  GraphDriver: { Data: null, Name: 'overlay2' },
  RootFS: { Type: 'layers', Layers: [] },
  Metadata: { LastTagTime: '0001-01-01T00:00:00Z' },
};

const descriptor = {
  mediaType: 'application/vnd.oci.image.manifest.v1+json',
  digest: `sha256:${'c'.repeat(64)}`,
  size: 2,
};

export const network: NetworkInspect = {
  Name: 'bridge',
  Id: 'c'.repeat(64),
  Created: '2026-01-02T03:04:05Z',
  Scope: 'local',
  Driver: 'bridge',
  EnableIPv4: true,
  EnableIPv6: false,
  IPAM: { Driver: 'default', Options: null, Config: [] },
  Internal: false,
  Attachable: false,
  Ingress: false,
  ConfigFrom: { Network: '' },
  ConfigOnly: false,
  Containers: { ['a'.repeat(64)]: { Name: 'one', EndpointID: 'x', MacAddress: '', IPv4Address: '', IPv6Address: '' } },
  Options: {},
  Labels: {},
};

export const versionInfo = { Version: '28.5.2', ApiVersion: '1.52', MinAPIVersion: '1.24' } as VersionInfo;
export const systemInfo = {
  ID: 'x',
  SecurityOptions: ['name=seccomp,profile=builtin'],
  ContainerdCommit: { ID: '' },
  RuncCommit: { ID: 'r' },
  InitCommit: { ID: '' },
  RegistryConfig: { IndexConfigs: {}, InsecureRegistryCIDRs: [], Mirrors: null },
  FirewallBackend: { Driver: 'nftables' },
  Runtimes: { crun: { path: 'crun', status: { a: 'b' } } },
} as unknown as SystemInfo;

/** Fake backends; each verb of `overrides` replaces the plausible answer. */
export function fakeBackends(overrides: Overrides = {}): Fake {
  const calls: Call[] = [];
  const subscribers = new Set<(event: EventMessage) => void>();
  const past: EventMessage[] = [];
  const verb = <T>(name: string, answer: (...args: never[]) => T): ((...args: unknown[]) => T) => {
    return (...args) => {
      calls.push({ verb: name, arguments: args });
      return (overrides[name] ?? answer)(...(args as never[])) as T;
    };
  };
  const nothing = async (): Promise<void> => {};
  const volume = { Driver: 'local', Labels: null, Mountpoint: '/v', Name: 'v', Options: null, Scope: 'local' };
  const backends: Backends = {
    builds: {
      build: verb('builds.build', async () => ({ imageId: `sha256:${'a'.repeat(64)}` })),
      session: verb('builds.session', nothing),
      prune: verb('builds.prune', async () => ({ CachesDeleted: null, SpaceReclaimed: 0 })),
    },
    containers: {
      lifecycle: {
        create: verb('lifecycle.create', async () => ({ Id: 'a'.repeat(64), Warnings: [] })),
        start: verb('lifecycle.start', nothing),
        stop: verb('lifecycle.stop', nothing),
        restart: verb('lifecycle.restart', nothing),
        kill: verb('lifecycle.kill', nothing),
        pause: verb('lifecycle.pause', nothing),
        unpause: verb('lifecycle.unpause', nothing),
        remove: verb('lifecycle.remove', nothing),
      },
      state: {
        rename: verb('state.rename', nothing),
        update: verb('state.update', async () => ({ Warnings: null })),
        resize: verb('state.resize', nothing),
        wait: verb('state.wait', () => ({ exit: Promise.resolve({ StatusCode: 3 }) })),
        prune: verb('state.prune', async () => ({ ContainersDeleted: null, SpaceReclaimed: 0 })),
      },
      queries: {
        list: verb('queries.list', () => [summary]),
        inspect: verb('queries.inspect', () => inspect),
        top: verb('queries.top', async () => ({ Processes: [['1', 'sh']], Titles: ['PID', 'CMD'] })),
        changes: verb('queries.changes', async () => []),
        stats: verb('queries.stats', async () => (async function* () {})()),
      },
      streams: {
        attach: verb('streams.attach', async () => attached(echo())),
        clearLogs: verb('streams.clearLogs', nothing),
        logs: verb('streams.logs', async () => ({ stream: Readable.from([Buffer.from('log')]), terminal: true })),
      },
      archive: {
        stat: verb('archive.stat', async () => ({ name: 'x', size: 1, mode: 0o644, mtime: '', linkTarget: '' })),
        read: verb('archive.read', async () => ({
          stat: { name: 'x', size: 1, mode: 0o644, mtime: '', linkTarget: '' },
          content: Readable.from([Buffer.from('tar')]),
        })),
        write: verb('archive.write', async (_id: string, _path: string, content: Readable) => {
          for await (const _chunk of content);
        }),
        export: verb('archive.export', async () => Readable.from([Buffer.from('tar')])),
      },
    },
    exec: {
      create: verb('exec.create', () => ({ Id: 'f'.repeat(64) })),
      check: verb('exec.check', () => {}),
      start: verb('exec.start', async (_id: string, options: { detach: boolean; terminal: boolean }) =>
        options.detach ? null : attached(echo(), options.terminal),
      ),
      inspect: verb('exec.inspect', () => ({
        ID: 'f'.repeat(64),
        Running: false,
        ExitCode: null,
        ProcessConfig: { tty: false, entrypoint: 'true', arguments: [], privileged: false },
        OpenStdin: true,
        OpenStderr: true,
        OpenStdout: true,
        CanRemove: false,
        ContainerID: 'a'.repeat(64),
        DetachKeys: '',
        Pid: 0,
      })),
      resize: verb('exec.resize', nothing),
    },
    images: {
      queries: {
        list: verb('images.list', () => [image]),
        inspect: verb('images.inspect', () => imageInspect),
        history: verb('images.history', () => []),
      },
      changes: {
        tag: verb('images.tag', nothing),
        remove: verb('images.remove', async () => [{ Untagged: 'a:latest' }]),
        prune: verb('images.prune', async () => ({ ImagesDeleted: null, SpaceReclaimed: 0 })),
        commit: verb('images.commit', async () => 'sha256:2'),
      },
      transfer: {
        pull: verb('images.pull', async (_options: unknown, progress: (message: object) => void) =>
          progress({ status: 'Pulling' }),
        ),
        push: verb('images.push', nothing),
        load: verb('images.load', async (archive: Readable) => {
          for await (const _chunk of archive);
        }),
        save: verb('images.save', async () => Readable.from([Buffer.from('tar')])),
        import: verb('images.import', async () => 'sha256:1'),
      },
      registries: {
        search: verb('registries.search', async () => []),
        distribution: verb('registries.distribution', async () => ({ Descriptor: descriptor, Platforms: [] })),
      },
      manifests: {
        inspect: verb('manifests.inspect', async () => ({
          Ref: 'docker.io/library/a@sha256:1',
          Descriptor: descriptor,
          Document: '{}',
        })),
        push: verb('manifests.push', async () => ({ Digest: descriptor.digest })),
      },
      bootstrap: { bootstrap: verb('images.bootstrap', nothing) },
    },
    networks: {
      queries: { list: verb('networks.list', () => [network]), inspect: verb('networks.inspect', () => network) },
      changes: {
        create: verb('networks.create', async () => ({ Id: 'n', Warning: '' })),
        remove: verb('networks.remove', nothing),
        connect: verb('networks.connect', nothing),
        disconnect: verb('networks.disconnect', nothing),
        prune: verb('networks.prune', async () => ({ NetworksDeleted: null })),
      },
    },
    volumes: {
      list: verb('volumes.list', () => ({ Volumes: [], Warnings: null })),
      inspect: verb('volumes.inspect', () => volume),
      create: verb('volumes.create', async () => volume),
      remove: verb('volumes.remove', nothing),
      prune: verb('volumes.prune', async () => ({ VolumesDeleted: null, SpaceReclaimed: 0 })),
      rename: verb('volumes.rename', async () => volume),
      sizes: verb('volumes.sizes', async () => [{ Name: 'v', Size: 1, DiskSize: 4096, Entries: 1, RefCount: 0 }]),
      copies: {
        clone: verb('volumes.clone', async () => volume),
        export: verb('volumes.export', async () => Readable.from(['tar'])),
        import: verb('volumes.import', async () => volume),
      },
    },
    system: {
      info: verb('system.info', async () => systemInfo),
      version: verb('system.version', async () => versionInfo),
      diskUsage: verb('system.diskUsage', async () => ({
        LayersSize: 1,
        Images: [image],
        Containers: [],
        Volumes: [],
        BuildCache: [],
      })),
      authenticate: verb('system.authenticate', async () => ({ Status: 'Login Succeeded' })),
    },
    events: {
      subscribe(subscriber) {
        subscribers.add(subscriber);
        return { past: [...past], stop: () => subscribers.delete(subscriber) };
      },
    },
  };
  return {
    backends,
    calls,
    publish(event) {
      past.push(event);
      for (const subscriber of subscribers) subscriber(event);
    },
    listeners: () => subscribers.size,
  };
}

/** A verb that fails. */
export function failing(error: BerthError | Error): () => never {
  return () => {
    throw error;
  };
}
