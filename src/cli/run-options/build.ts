/** From the options of `run` and `create` to the body of the request. Errors in Docker's words. */
import { onUnhealthyAnnotation } from '../../api/annotations.ts';
import { BerthError } from '../../api/errors.ts';
import type { HealthcheckConfig, HostConfig } from '../../api/types/container.ts';
import type { ContainerCreateBody } from '../../client/containers/create.ts';
import type { OptionValues } from '../grammar/options.ts';
import { pairs } from '../pairs.ts';
import { deviceRequests } from './device-requests.ts';
import { readKeyValueFile } from './files.ts';
import { parseMount, parseTmpfs, parseVolumes } from './mounts.ts';
import { parseNetworks } from './network.ts';
import { parsePorts } from './ports.ts';
import {
  isCdiDevice,
  parseBytesRate,
  parseDevice,
  parseOperationsRate,
  parseUlimits,
  parseWeightDevice,
} from './resources.ts';
import { parseRestart } from './restart.ts';
import { parseSecurity } from './security.ts';
import type { containerOptions } from './table.ts';

export type ContainerFlags = OptionValues<typeof containerOptions>;

export interface BuildInput {
  flags: ContainerFlags;
  given: ReadonlySet<string>;
  /** Image, then the command. */
  words: readonly string[];
  /** `run -d`: nothing is attached. */
  detach: boolean;
  environment: Record<string, string | undefined>;
}

/** Error: `invalid`. Files that options name are read here. */
export async function buildContainer(input: BuildInput): Promise<ContainerCreateBody> {
  try {
    return await build(input);
  } catch (cause) {
    if (cause instanceof BerthError) throw cause;
    throw new BerthError('invalid', cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

async function build(input: BuildInput): Promise<ContainerCreateBody> {
  const { flags, given, words } = input;
  const [Image, ...command] = words as [string, ...string[]];
  const attached = attachedStreams(input);
  const { binds, volumes } = parseVolumes(flags.volume);
  const ports = parsePorts(flags.publish, flags.expose);
  const network = parseNetworks({
    networks: [...flags.network, ...flags.net],
    aliases: [...flags['network-alias'], ...flags['net-alias']],
    ip: flags.ip,
    ip6: flags.ip6,
    linkLocal: flags['link-local-ip'],
    links: flags.link,
    macAddress: flags['mac-address'],
  });
  return {
    Hostname: flags.hostname,
    Domainname: flags.domainname,
    User: flags.user,
    AttachStdin: attached.stdin,
    AttachStdout: attached.stdout,
    AttachStderr: attached.stderr,
    ...(Object.keys(ports.exposed).length > 0 && { ExposedPorts: ports.exposed }),
    Tty: flags.tty,
    OpenStdin: flags.interactive,
    // An attached client that goes away ends the container's input.
    StdinOnce: flags.interactive && attached.stdin,
    Env: nullIfEmpty(await environmentOf(input)),
    Cmd: command.length > 0 ? command : null,
    ...health(flags, given),
    Image,
    Volumes: Object.keys(volumes).length > 0 ? volumes : null,
    WorkingDir: flags.workdir,
    Entrypoint: given.has('entrypoint') ? [flags.entrypoint] : null,
    OnBuild: null,
    Labels: await labelsOf(flags),
    ...(flags['stop-signal'] && { StopSignal: flags['stop-signal'] }),
    ...(given.has('stop-timeout') && { StopTimeout: flags['stop-timeout'] }),
    HostConfig: { ...(await hostConfig(input, binds)), NetworkMode: network.mode, PortBindings: ports.bindings },
    NetworkingConfig: { EndpointsConfig: network.endpoints },
  };
}

function attachedStreams({ flags, detach }: BuildInput): { stdin: boolean; stdout: boolean; stderr: boolean } {
  const named = flags.attach;
  if (detach) return { stdin: false, stdout: false, stderr: false };
  if (named.length === 0) return { stdin: flags.interactive, stdout: true, stderr: true };
  return { stdin: named.includes('stdin'), stdout: named.includes('stdout'), stderr: named.includes('stderr') };
}

async function environmentOf({ flags, environment }: BuildInput): Promise<string[]> {
  const lookup = (key: string): string | undefined => environment[key];
  const lines: string[] = [];
  for (const file of flags['env-file']) lines.push(...(await readKeyValueFile(file, lookup)));
  for (const text of flags.env) {
    const value = text.includes('=') ? undefined : lookup(text);
    lines.push(value === undefined ? text : `${text}=${value}`);
  }
  return lines;
}

async function labelsOf(flags: ContainerFlags): Promise<Record<string, string>> {
  const lines: string[] = [];
  for (const file of flags['label-file']) lines.push(...(await readKeyValueFile(file, () => undefined)));
  return pairs([...lines, ...flags.label]);
}

function health(flags: ContainerFlags, given: ReadonlySet<string>): { Healthcheck?: HealthcheckConfig } {
  const names = [
    'health-cmd',
    'health-interval',
    'health-timeout',
    'health-start-period',
    'health-start-interval',
    'health-retries',
  ] as const;
  const some = names.some((name) => given.has(name));
  if (flags['no-healthcheck']) {
    if (some) throw new Error('--no-healthcheck conflicts with --health-* options');
    return { Healthcheck: { Test: ['NONE'] } };
  }
  if (!some) return {};
  for (const name of names.slice(1)) if (Number(flags[name]) < 0) throw new Error(`--${name} cannot be negative`);
  return {
    Healthcheck: {
      ...(flags['health-cmd'] && { Test: ['CMD-SHELL', flags['health-cmd']] }),
      Interval: flags['health-interval'],
      Timeout: flags['health-timeout'],
      StartPeriod: flags['health-start-period'],
      StartInterval: flags['health-start-interval'],
      Retries: flags['health-retries'],
    },
  };
}

async function hostConfig(input: BuildInput, binds: string[]): Promise<Partial<HostConfig>> {
  const { flags, given } = input;
  const restart = parseRestart(flags.restart);
  if (flags.rm && restart.Name !== '' && restart.Name !== 'no')
    throw new Error('conflicting options: cannot specify both --restart and --rm');
  const mounts = flags.mount.map(parseMount);
  const cdi = flags.device.filter(isCdiDevice);
  const requests = deviceRequests(flags.gpus, cdi);
  const security = await parseSecurity(flags['security-opt']);
  return {
    Binds: nullIfEmpty(binds),
    ...(mounts.length > 0 && { Mounts: mounts }),
    ...(flags.tmpfs.length > 0 && { Tmpfs: parseTmpfs(flags.tmpfs) }),
    VolumesFrom: flags['volumes-from'].length > 0 ? flags['volumes-from'] : null,
    VolumeDriver: flags['volume-driver'],
    ContainerIDFile: flags.cidfile,
    LogConfig: { Type: flags['log-driver'], Config: logOptions(flags) },
    RestartPolicy: restart,
    AutoRemove: flags.rm,
    ...annotations(flags, given),
    CapAdd: flags['cap-add'].length > 0 ? flags['cap-add'] : null,
    CapDrop: flags['cap-drop'].length > 0 ? flags['cap-drop'] : null,
    CgroupnsMode: checkMode(flags.cgroupns, 'cgroupns', 'CGROUP', ['host', 'private']),
    CgroupParent: flags['cgroup-parent'],
    Dns: flags.dns,
    DnsOptions: [...flags['dns-option'], ...flags['dns-opt']],
    DnsSearch: flags['dns-search'],
    ExtraHosts: flags['add-host'].length > 0 ? flags['add-host'] : null,
    GroupAdd: flags['group-add'].length > 0 ? flags['group-add'] : null,
    IpcMode: flags.ipc,
    Links: flags.link.length > 0 ? flags.link : null,
    PidMode: checkMode(flags.pid, 'pid', 'PID', ['host']),
    Privileged: flags.privileged,
    PublishAllPorts: flags['publish-all'],
    ReadonlyRootfs: flags['read-only'],
    ...security,
    ...(flags['storage-opt'].length > 0 && { StorageOpt: storageOptions(flags['storage-opt']) }),
    ...(flags.sysctl.length > 0 && { Sysctls: pairs(flags.sysctl) }),
    UTSMode: checkMode(flags.uts, 'uts', 'UTS', ['host']),
    UsernsMode: checkMode(flags.userns, 'userns', 'USER', ['host']),
    ShmSize: flags['shm-size'],
    Runtime: flags.runtime,
    Isolation: flags.isolation,
    OomScoreAdj: flags['oom-score-adj'],
    ...(given.has('init') && { Init: flags.init }),
    Devices: flags.device.filter((text) => !isCdiDevice(text)).map(parseDevice),
    ...(requests.length > 0 && { DeviceRequests: requests }),
    DeviceCgroupRules: flags['device-cgroup-rule'].length > 0 ? flags['device-cgroup-rule'] : null,
    ...limits(flags, given),
  };
}

function annotations(flags: ContainerFlags, given: ReadonlySet<string>): { Annotations?: Record<string, string> } {
  const Annotations = pairs(flags.annotation);
  if (given.has('on-unhealthy')) Annotations[onUnhealthyAnnotation] = flags['on-unhealthy'];
  return Object.keys(Annotations).length > 0 ? { Annotations } : {};
}

function limits(flags: ContainerFlags, given: ReadonlySet<string>): Partial<HostConfig> {
  const swappiness = flags['memory-swappiness'];
  if (swappiness !== -1 && (swappiness < 0 || swappiness > 100))
    throw new Error(`invalid value: ${swappiness}. Valid memory swappiness range is 0-100`);
  return {
    CpuShares: flags['cpu-shares'],
    Memory: flags.memory,
    NanoCpus: flags.cpus,
    BlkioWeight: flags['blkio-weight'],
    BlkioWeightDevice: flags['blkio-weight-device'].map(parseWeightDevice),
    BlkioDeviceReadBps: flags['device-read-bps'].map(parseBytesRate),
    BlkioDeviceWriteBps: flags['device-write-bps'].map(parseBytesRate),
    BlkioDeviceReadIOps: flags['device-read-iops'].map(parseOperationsRate),
    BlkioDeviceWriteIOps: flags['device-write-iops'].map(parseOperationsRate),
    CpuPeriod: flags['cpu-period'],
    CpuQuota: flags['cpu-quota'],
    CpuRealtimePeriod: flags['cpu-rt-period'],
    CpuRealtimeRuntime: flags['cpu-rt-runtime'],
    CpusetCpus: flags['cpuset-cpus'],
    CpusetMems: flags['cpuset-mems'],
    ...(flags['kernel-memory'] !== 0 && { KernelMemory: flags['kernel-memory'] }),
    MemoryReservation: flags['memory-reservation'],
    MemorySwap: flags['memory-swap'],
    MemorySwappiness: swappiness === -1 ? null : swappiness,
    OomKillDisable: flags['oom-kill-disable'],
    PidsLimit: given.has('pids-limit') ? flags['pids-limit'] : null,
    Ulimits: parseUlimits(flags.ulimit),
  };
}

function logOptions(flags: ContainerFlags): Record<string, string> {
  if (flags['log-driver'] === 'none' && flags['log-opt'].length > 0)
    throw new Error(`invalid logging opts for driver ${flags['log-driver']}`);
  return pairs(flags['log-opt']);
}

function storageOptions(texts: readonly string[]): Record<string, string> {
  for (const text of texts) if (!text.includes('=')) throw new Error('invalid storage option');
  return pairs(texts);
}

function checkMode(text: string, flag: string, word: string, modes: readonly string[]): string {
  if (text === '' || modes.includes(text) || (text.startsWith('container:') && text !== 'container:')) return text;
  throw new Error(`--${flag}: invalid ${word} mode`);
}

/** Go's command line has nil lists where nothing was given, and the engine keeps what it is sent. */
function nullIfEmpty(list: string[]): string[] | null {
  return list.length > 0 ? list : null;
}
