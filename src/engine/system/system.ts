import { isIPv4 } from 'node:net';
import type { ContainerSummary } from '../../api/types/container.ts';
import type { AuthConfig, ImageSummary } from '../../api/types/image.ts';
import type {
  AuthResponse,
  BuildCacheRecord,
  DiskUsage,
  DiskUsageType,
  SystemInfo,
  VersionInfo,
} from '../../api/types/system.ts';
import type { Volume } from '../../api/types/volume.ts';
import { newestVersion, oldestVersion, versionText } from '../../api/versions.ts';
import type { HostFacts } from '../../host/facts.ts';
import type { ContainerSettings } from '../containers/settings.ts';
import type { RuntimeVersion, RuntimeVersions } from './runtime-version.ts';

/** What clients compare: a version of dockerd that speaks the same API. Berth's own stands in `Components`. */
export const dockerVersion = '28.5.2';

export interface SystemSettings {
  /** Random id of this engine. */
  engineId: string;
  /** Of Berth itself: `0.1.0`. */
  version: string;
  /** Of the build; empty: unknown. */
  commit: string;
  /** RFC 3339. */
  buildTime: string;
  dataRoot: string;
  debug: boolean;
  labels: string[];
  registryMirrors: string[];
  insecureRegistries: string[];
  addressPools: { base: string; size: number }[];
  containers: ContainerSettings;
}

export interface SystemDependencies {
  settings: SystemSettings;
  host: HostFacts;
  /** How many containers are in each state. */
  countContainers(): { running: number; paused: number; stopped: number };
  countImages(): number;
  countEventListeners(): number;
  runtimeVersions: RuntimeVersions;
  usage: {
    containers(): Promise<ContainerSummary[]> | ContainerSummary[];
    images(): Promise<ImageSummary[]> | ImageSummary[];
    volumes(): Promise<Volume[]> | Volume[];
    /** Bytes of all layers, each counted once. */
    layers(): number;
    builds(): BuildCacheRecord[];
  };
  authenticate(auth: AuthConfig): Promise<AuthResponse>;
}

/** `GET /version`, `/info`, `/system/df` and `POST /auth`. */
export class SystemService {
  readonly #dependencies: SystemDependencies;

  constructor(dependencies: SystemDependencies) {
    this.#dependencies = dependencies;
  }

  async version(): Promise<VersionInfo> {
    const { settings, host } = this.#dependencies;
    const runtime = await this.#defaultRuntime();
    const api = { ApiVersion: versionText(newestVersion), MinAPIVersion: versionText(oldestVersion) };
    return {
      Platform: { Name: `Berth ${settings.version}` },
      Version: dockerVersion,
      ...api,
      Os: 'linux',
      Arch: host.architecture,
      Components: [
        {
          Name: 'Engine',
          Version: dockerVersion,
          Details: {
            ...api,
            Arch: host.architecture,
            BuildTime: settings.buildTime,
            Experimental: 'false',
            GitCommit: settings.commit,
            GoVersion: '',
            KernelVersion: host.kernelRelease,
            Os: 'linux',
          },
        },
        { Name: 'Berth', Version: settings.version, Details: { GitCommit: settings.commit } },
        { Name: settings.containers.defaultRuntime, Version: runtime.version, Details: { GitCommit: runtime.commit } },
      ],
      GitCommit: settings.commit,
      GoVersion: '',
      KernelVersion: host.kernelRelease,
      BuildTime: settings.buildTime,
    };
  }

  async info(): Promise<SystemInfo> {
    const runtime = await this.#defaultRuntime();
    const { settings, host, countContainers, countImages, countEventListeners } = this.#dependencies;
    const { running, paused, stopped } = countContainers();
    return {
      ID: settings.engineId,
      Containers: running + paused + stopped,
      ContainersRunning: running,
      ContainersPaused: paused,
      ContainersStopped: stopped,
      Images: countImages(),
      ...storageInfo,
      ...resourceInfo(host),
      IPv4Forwarding: host.ipv4Forwarding,
      Debug: settings.debug,
      NFd: 0,
      NGoroutines: 0,
      SystemTime: new Date().toISOString(),
      LoggingDriver: settings.containers.logDriver,
      NEventsListener: countEventListeners(),
      KernelVersion: host.kernelRelease,
      OperatingSystem: host.operatingSystem,
      OSVersion: host.operatingSystemVersion,
      OSType: 'linux',
      Architecture: host.machine,
      ...registryInfo(settings),
      NCPU: host.cpus,
      MemTotal: host.memory,
      GenericResources: null,
      DockerRootDir: settings.dataRoot,
      HttpProxy: withoutPassword(process.env['HTTP_PROXY'] ?? process.env['http_proxy'] ?? ''),
      HttpsProxy: withoutPassword(process.env['HTTPS_PROXY'] ?? process.env['https_proxy'] ?? ''),
      NoProxy: process.env['NO_PROXY'] ?? process.env['no_proxy'] ?? '',
      Name: host.hostname,
      Labels: settings.labels,
      ExperimentalBuild: false,
      ServerVersion: dockerVersion,
      Runtimes: Object.fromEntries(
        [...settings.containers.runtimes].map(([name, program]) => [
          name,
          { path: program.path, ...(program.arguments.length > 0 && { runtimeArgs: program.arguments }) },
        ]),
      ),
      DefaultRuntime: settings.containers.defaultRuntime,
      ...withoutSwarm,
      LiveRestoreEnabled: true,
      Isolation: '',
      InitBinary: 'docker-init',
      ContainerdCommit: { ID: '' },
      // Of the default runtime, whichever it is: dockerd does the same.
      RuncCommit: { ID: runtime.commit },
      InitCommit: { ID: '' },
      SecurityOptions: securityOptions(host, settings.containers),
      ...(settings.addressPools.length > 0 && {
        DefaultAddressPools: settings.addressPools.map(({ base, size }) => ({ Base: base, Size: size })),
      }),
      FirewallBackend: { Driver: 'nftables' },
      CDISpecDirs: [...settings.containers.cdiSpecDirectories],
      Warnings: warnings(host),
    };
  }

  async diskUsage(types: ReadonlySet<DiskUsageType>): Promise<DiskUsage> {
    const { usage } = this.#dependencies;
    return {
      ...(types.has('image') && { LayersSize: usage.layers(), Images: await usage.images() }),
      ...(types.has('container') && { Containers: await usage.containers() }),
      ...(types.has('volume') && { Volumes: await usage.volumes() }),
      ...(types.has('build-cache') && { BuildCache: usage.builds() }),
    };
  }

  async authenticate(auth: AuthConfig): Promise<AuthResponse> {
    return await this.#dependencies.authenticate(auth);
  }

  #defaultRuntime(): Promise<RuntimeVersion> {
    const { settings, runtimeVersions } = this.#dependencies;
    const { defaultRuntime, runtimes } = settings.containers;
    return runtimeVersions.of(runtimes.get(defaultRuntime)?.path ?? '');
  }
}

/** As dockerd shows a proxy that wants a password. */
function withoutPassword(proxy: string): string {
  return proxy.replace(/^([a-z]+:\/\/)[^@/]*@/i, '$1xxxxx:xxxxx@');
}

const storageInfo = {
  Driver: 'overlay2',
  DriverStatus: [
    ['Supports d_type', 'true'],
    ['Using metacopy', 'false'],
    ['Native Overlay Diff', 'true'],
    ['userxattr', 'false'],
  ] as [string, string][],
  Plugins: {
    Volume: ['local'],
    Network: ['bridge', 'host', 'null'],
    Authorization: null,
    Log: ['json-file', 'local', 'none'],
  },
};

const withoutSwarm = {
  Swarm: {
    NodeID: '',
    NodeAddr: '',
    LocalNodeState: 'inactive' as const,
    ControlAvailable: false,
    Error: '',
    RemoteManagers: null,
  },
};

function resourceInfo({ cgroup }: HostFacts) {
  return {
    MemoryLimit: cgroup.memoryLimit,
    SwapLimit: cgroup.swapLimit,
    // Docker leaves the key out where it is false.
    ...(cgroup.version === 1 && { KernelMemoryTCP: true }),
    CpuCfsPeriod: cgroup.cpuQuota,
    CpuCfsQuota: cgroup.cpuQuota,
    CPUShares: cgroup.cpuShares,
    CPUSet: cgroup.cpuset,
    PidsLimit: cgroup.pids,
    OomKillDisable: cgroup.oomKillDisable,
    CgroupDriver: 'cgroupfs',
    CgroupVersion: String(cgroup.version),
  };
}

function registryInfo({ insecureRegistries, registryMirrors }: SystemSettings) {
  const isRange = (name: string): boolean => isIPv4(name.split('/')[0] as string) && name.includes('/');
  const hosts = insecureRegistries.filter((name) => !isRange(name));
  return {
    IndexServerAddress: 'https://index.docker.io/v1/',
    RegistryConfig: {
      IndexConfigs: {
        'docker.io': { Mirrors: registryMirrors, Name: 'docker.io', Official: true, Secure: true },
        ...Object.fromEntries(hosts.map((name) => [name, { Mirrors: [], Name: name, Official: false, Secure: false }])),
      },
      InsecureRegistryCIDRs: ['::1/128', '127.0.0.0/8', ...insecureRegistries.filter(isRange)],
      Mirrors: registryMirrors.length > 0 ? registryMirrors : null,
    },
  };
}

function securityOptions(host: HostFacts, settings: ContainerSettings): string[] {
  const options: string[] = [];
  if (host.seccomp && settings.seccompProfile !== 'unconfined')
    options.push(`name=seccomp,profile=${settings.seccompProfile === '' ? 'builtin' : 'custom'}`);
  if (host.cgroup.version === 2) options.push('name=cgroupns');
  if (settings.noNewPrivileges) options.push('name=no-new-privileges');
  return options;
}

function warnings({ cgroup, ipv4Forwarding }: HostFacts): string[] | null {
  const found = [
    !cgroup.memoryLimit && 'WARNING: No memory limit support',
    cgroup.memoryLimit && !cgroup.swapLimit && 'WARNING: No swap limit support',
    !cgroup.cpuQuota && 'WARNING: No cpu cfs quota support',
    !cgroup.cpuShares && 'WARNING: No cpu shares support',
    !cgroup.cpuset && 'WARNING: No cpuset support',
    !ipv4Forwarding && 'WARNING: IPv4 forwarding is disabled',
  ].filter((text) => text !== false);
  return found.length > 0 ? found : null;
}
