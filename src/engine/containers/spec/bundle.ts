/**
 * Puts a container's OCI configuration together out of the concerns beside this file
 * (https://github.com/opencontainers/runtime-spec/blob/v1.2.1/config.md).
 */
import { join } from 'node:path';
import type { HostConfig } from '../../../api/types/host-config.ts';
import type { HostFacts } from '../../../host/facts.ts';
import {
  ociRuntimeVersion,
  type RuntimeLimit,
  type RuntimeMount,
  type RuntimeProcess,
  type RuntimeSpec,
  type RuntimeUser,
} from '../../../oci/runtime-spec.ts';
import type { SandboxPlan } from '../../../supervisor/types.ts';
import { stringifyJson } from '../../../wire/json.ts';
import type { ContainerRecord } from '../record.ts';
import type { ContainerSettings } from '../settings.ts';
import { capabilitiesOfMask, containerCapabilities } from './capabilities.ts';
import { addRequestedDevices } from './device-requests.ts';
import { containerDevices } from './devices.ts';
import { containerEnvironment, withHome } from './environment.ts';
import { oomScore, resourceLimits } from './limits.ts';
import { type MountTable, parseMountTable } from './mount-table.ts';
import { containerMounts, initTarget, type NetworkFiles } from './mounts.ts';
import { containerNamespaces } from './namespaces.ts';
import { containerResources } from './resources.ts';
import { parseKernel, SeccompFilters } from './seccomp.ts';
import { compiledFilterAnnotation, SeccompPrograms } from './seccomp-programs.ts';
import { parseSecurityOptions } from './security-options.ts';

/** Paths of /proc and /sys that tell about the host; the runtime covers them. */
export const defaultMaskedPaths: readonly string[] = [
  '/proc/asound',
  '/proc/acpi',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/sys/firmware',
  '/sys/devices/virtual/powercap',
];

export const defaultReadonlyPaths: readonly string[] = [
  '/proc/bus',
  '/proc/fs',
  '/proc/irq',
  '/proc/sys',
  '/proc/sysrq-trigger',
];

/** Where the shim mounts the root, relative to the bundle. */
const rootDirectory = 'rootfs';

/** What differs from start to start. */
export interface BundleRequest {
  record: ContainerRecord;
  user: RuntimeUser;
  /** HOME, where the runtime does not find it; see `homeOfUnknown`. */
  home: string | null;
  hostname: string;
  network: SandboxPlan['kind'];
  files: NetworkFiles;
  /** The container's directory in the exec root. */
  directory: string;
  /** Cgroup relative to the hierarchies' roots. */
  cgroupPath: string;
  pidOf(mode: string): number;
  /** Variables of links to other containers. */
  linkVariables?: readonly string[];
  /** Of images, by destination. */
  imageMounts?: ReadonlyMap<string, RuntimeMount>;
  /** Mounted after all others. */
  extraMounts?: readonly RuntimeMount[];
}

export interface Bundle {
  /** Text of config.json. */
  config: string;
  /** Call when the container runs: what its runtime compiled is used for the next one. */
  started(runtimeRoot: string): void;
}

/** Writes OCI configurations; keeps what is the same for all of them. */
export class BundleWriter {
  readonly #host: HostFacts;
  readonly #settings: ContainerSettings;
  readonly #available: readonly string[];
  readonly #filters: SeccompFilters;
  readonly #programs = new SeccompPrograms();
  readonly #recursiveReadOnly: boolean;
  readonly #readMountInfo: () => Promise<string>;

  constructor(host: HostFacts, settings: ContainerSettings, readMountInfo: () => Promise<string>) {
    this.#host = host;
    this.#settings = settings;
    this.#readMountInfo = readMountInfo;
    this.#available = capabilitiesOfMask(host.boundingCapabilities);
    const kernel = parseKernel(host.kernelRelease);
    this.#filters = new SeccompFilters({ architecture: host.architecture, kernel });
    // mount_setattr(2) came with 5.12.
    this.#recursiveReadOnly = kernel[0] > 5 || (kernel[0] === 5 && kernel[1] >= 12);
  }

  /** Capabilities that the engine can hand to a container. */
  get availableCapabilities(): readonly string[] {
    return this.#available;
  }

  /**
   * The bundle's configuration. Errors: dockerd's words for options that only show to be wrong at the start (devices,
   * seccomp profile, tmpfs options, propagation).
   */
  async write(request: BundleRequest): Promise<Bundle> {
    const { record } = request;
    const { hostConfig } = record;
    const security = parseSecurityOptions(hostConfig.SecurityOpt ?? [], this.#settings.noNewPrivileges);
    const init = this.#usesInit(record);
    const process = this.#process(request, init);
    if (security.noNewPrivileges) process.noNewPrivileges = true;
    if (security.appArmor && security.appArmor !== 'unconfined' && this.#host.appArmor && !hostConfig.Privileged)
      process.apparmorProfile = security.appArmor;
    let mountTable: Promise<MountTable> | undefined;
    const [devices, mounts] = await Promise.all([
      containerDevices({
        privileged: hostConfig.Privileged,
        devices: hostConfig.Devices ?? [],
        cgroupRules: hostConfig.DeviceCgroupRules ?? [],
      }),
      containerMounts({
        hostConfig,
        mounts: record.mounts,
        files: request.files,
        initPath: init ? this.#settings.initPath() : null,
        imageMounts: request.imageMounts ?? new Map(),
        pinned: (pin) => join(request.directory, pin),
        recursiveReadOnly: this.#recursiveReadOnly,
        mountTable: () => (mountTable ??= this.#readMountInfo().then(parseMountTable)),
      }),
    ]);
    mounts.mounts.push(...(request.extraMounts ?? []));
    if (security.writableCgroups) makeCgroupsWritable(mounts.mounts);
    const filter = this.#seccomp(security.seccomp, process, hostConfig.Privileged);
    const program = filter === null ? null : this.#programs.find(filter);
    const spec: RuntimeSpec = {
      ociVersion: ociRuntimeVersion,
      process,
      root: hostConfig.ReadonlyRootfs ? { path: rootDirectory, readonly: true } : { path: rootDirectory },
      hostname: hostConfig.UTSMode === 'host' ? undefined : request.hostname,
      mounts: mounts.mounts,
      annotations:
        program === null ? hostConfig.Annotations : { [compiledFilterAnnotation]: program, ...hostConfig.Annotations },
      // Last, because the filter is put in at its end.
      hooks: undefined,
      linux: {
        resources: await containerResources(hostConfig, devices.rules),
        cgroupsPath: request.cgroupPath,
        namespaces: containerNamespaces(hostConfig, { network: request.network, pidOf: request.pidOf }),
      },
    };
    const { linux } = spec;
    if (devices.devices.length > 0) linux.devices = devices.devices;
    if (mounts.propagation) linux.rootfsPropagation = mounts.propagation;
    if (!hostConfig.Privileged) {
      linux.maskedPaths = hostConfig.MaskedPaths ?? [...defaultMaskedPaths];
      linux.readonlyPaths = hostConfig.ReadonlyPaths ?? [...defaultReadonlyPaths];
    }
    await addRequestedDevices(spec, hostConfig.DeviceRequests ?? [], this.#settings.cdiSpecDirectories);
    const sysctls = this.#sysctls(request);
    if (Object.keys(sysctls).length > 0) linux.sysctl = sysctls;
    return {
      config: withSeccomp(stringifyJson(spec), filter),
      started: (runtimeRoot) => {
        const runtime = this.#settings.runtimes.get(hostConfig.Runtime);
        // What an annotation of the user's made of the filter is not what other containers asked for.
        const own = Object.keys(hostConfig.Annotations ?? {}).some((key) => key.startsWith('run.oci.seccomp'));
        if (filter !== null && program === null && runtime && !own)
          this.#programs.learn(filter, { id: record.id, runtime, runtimeRoot });
      },
    };
  }

  #process(request: BundleRequest, init: boolean): RuntimeProcess {
    const { record } = request;
    const { config, hostConfig } = record;
    const capabilities = containerCapabilities(
      { add: hostConfig.CapAdd ?? [], drop: hostConfig.CapDrop ?? [], privileged: hostConfig.Privileged },
      this.#available,
    );
    const words = [record.path, ...record.arguments];
    const process: RuntimeProcess = {
      user: request.user,
      args: init ? [initTarget, '--', ...words] : words,
      env: withHome(
        containerEnvironment(
          { hostname: request.hostname, terminal: config.Tty, links: request.linkVariables ?? [] },
          config.Env ?? [],
        ),
        request.home,
      ),
      cwd: config.WorkingDir || '/',
      capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
      oomScoreAdj: this.oomScoreOf(hostConfig),
    };
    if (config.Tty) {
      process.terminal = true;
      const [height, width] = hostConfig.ConsoleSize;
      if (height > 0 && width > 0) process.consoleSize = { height, width };
    }
    const limits = this.limitsOf(hostConfig);
    if (limits.length > 0) process.rlimits = limits;
    return process;
  }

  /** What every process of the container may use at most, those of exec too. */
  limitsOf(hostConfig: HostConfig): RuntimeLimit[] {
    return resourceLimits(this.#settings.ulimits, hostConfig.Ulimits ?? [], this.#host);
  }

  /** How soon a process of the container is killed for memory. */
  oomScoreOf(hostConfig: HostConfig): number {
    return oomScore(hostConfig.OomScoreAdj, this.#host);
  }

  /** An init makes no sense where the process is not the first one of its pid namespace. */
  #usesInit(record: ContainerRecord): boolean {
    return record.hostConfig.PidMode === '' && (record.hostConfig.Init ?? this.#settings.init);
  }

  #sysctls(request: BundleRequest): Record<string, string> {
    const { hostConfig, config } = request.record;
    const result: Record<string, string> = {};
    if (config.Domainname && hostConfig.UTSMode !== 'host') result['kernel.domainname'] = config.Domainname;
    for (const [name, value] of Object.entries(hostConfig.Sysctls ?? {})) {
      if (request.network === 'host' || !isNetworkSysctl(name)) result[name] = value;
    }
    return result;
  }

  #seccomp(option: string | null, process: RuntimeProcess, privileged: boolean): string | null {
    if (privileged || !this.#host.seccomp) return null;
    const profile = option ?? this.#settings.seccompProfile;
    if (profile === 'unconfined') return null;
    const capabilities = process.capabilities?.bounding ?? [];
    return profile ? this.#filters.custom(profile, capabilities) : this.#filters.default(capabilities);
  }
}

function isNetworkSysctl(name: string): boolean {
  return /^net[./]/.test(name);
}

/**
 * Kernel parameters that the shim writes into the network namespace: what the user asked for, and in a new namespace what lets
 * everybody bind low ports and send pings, for which Docker's containers have the capabilities anyway.
 */
export function networkSysctls(record: ContainerRecord, network: SandboxPlan['kind']): Record<string, string> {
  if (network === 'host') return {};
  const { Sysctls, Privileged } = record.hostConfig;
  const own = Object.entries(Sysctls ?? {}).filter(([name]) => isNetworkSysctl(name));
  const defaults: Record<string, string> =
    network === 'new' && !Privileged
      ? { 'net.ipv4.ip_unprivileged_port_start': '0', 'net.ipv4.ping_group_range': '0 2147483647' }
      : {};
  return { ...defaults, ...Object.fromEntries(own) };
}

function makeCgroupsWritable(mounts: { type: string; options: string[] }[]): void {
  for (const mount of mounts) {
    if (mount.type === 'cgroup') mount.options = mount.options.filter((option) => option !== 'ro');
  }
}

/** Puts the ready-made JSON of the filter at the end of `linux`, which is the last member of the specification. */
function withSeccomp(spec: string, seccomp: string | null): string {
  if (seccomp === null) return spec;
  return `${spec.slice(0, -2)},"seccomp":${seccomp}}}`;
}
