/**
 * What the engine must know about the machine it runs on, read once at the start: it does not change while the engine lives.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { arch, hostname, release, totalmem } from 'node:os';
import { type CgroupFacts, readCgroupFacts } from './cgroup/detect.ts';

export interface HostFacts {
  /** Go's name of the architecture: `amd64`, `arm64`. */
  architecture: 'amd64' | 'arm64';
  /** The kernel's: `x86_64`, `aarch64`. */
  machine: string;
  /** `6.18.44-fc`, as uname -r prints it. */
  kernelRelease: string;
  hostname: string;
  /** `Debian GNU/Linux 12 (bookworm)` */
  operatingSystem: string;
  /** `12`; empty where the system does not say. */
  operatingSystemVersion: string;
  /** Bytes. */
  memory: number;
  /** CPUs that this process may use. */
  cpus: number;
  /** In the kernel's list format, `0-3`. */
  onlineCpus: string;
  onlineMemoryNodes: string;
  /** Bit mask, hexadecimal, of what the engine's children can hold at most. */
  boundingCapabilities: string;
  /** The engine may raise its hard resource limits. */
  maySetResources: boolean;
  /** Hard limits of this process by OCI name, RLIM_INFINITY as 2^64 - 1. */
  hardLimits: Map<string, bigint>;
  /** oom_score_adj of this process: without CAP_SYS_RESOURCE no child goes below it. */
  oomScoreAdj: number;
  seccomp: boolean;
  appArmor: boolean;
  cgroup: CgroupFacts;
  /** `net.ipv4.ip_forward`; the engine's own networks may have turned it on since. */
  ipv4Forwarding: boolean;
}

const resourceCapability = 24n;

/** Reads everything; nothing here is missing on a Linux with /proc and /sys. */
export function readHostFacts(): HostFacts {
  const status = readFileSync('/proc/self/status', 'utf8');
  const bounding = /^CapBnd:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0';
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0';
  const system = readOsRelease();
  return {
    architecture: arch() === 'arm64' ? 'arm64' : 'amd64',
    machine: arch() === 'arm64' ? 'aarch64' : 'x86_64',
    kernelRelease: release(),
    hostname: hostname(),
    operatingSystem: system.get('PRETTY_NAME') ?? system.get('NAME') ?? 'Linux',
    operatingSystemVersion: system.get('VERSION_ID') ?? '',
    memory: totalmem(),
    cpus: countList(/^Cpus_allowed_list:\s*(\S+)$/m.exec(status)?.[1] ?? '0'),
    onlineCpus: readText('/sys/devices/system/cpu/online', '0'),
    onlineMemoryNodes: readText('/sys/devices/system/node/online', '0'),
    boundingCapabilities: bounding,
    maySetResources: ((BigInt(`0x${effective}`) >> resourceCapability) & 1n) === 1n,
    hardLimits: parseLimits(readFileSync('/proc/self/limits', 'utf8')),
    oomScoreAdj: Number(readText('/proc/self/oom_score_adj', '0')),
    seccomp: /^Seccomp_filters:/m.test(status) || /^Seccomp:/m.test(status),
    appArmor:
      readText('/sys/module/apparmor/parameters/enabled', 'N') === 'Y' && exists('/sys/kernel/security/apparmor'),
    cgroup: readCgroupFacts(),
    ipv4Forwarding: readForwarding(),
  };
}

/** `net.ipv4.ip_forward` as it is now. */
export function readForwarding(): boolean {
  return readText('/proc/sys/net/ipv4/ip_forward', '0') === '1';
}

/** Members of a kernel list such as `0-3,8`, ascending. Null where the text is not such a list. */
export function parseList(text: string): number[] | null {
  const members = new Set<number>();
  for (const part of text.trim().split(',')) {
    if (part === '') continue;
    const match = /^(\d+)(?:-(\d+))?$/.exec(part);
    if (!match) return null;
    const first = Number(match[1]);
    const last = Number(match[2] ?? match[1]);
    // 8192 CPUs is more than any kernel is built for; the bound keeps a hostile range from filling memory.
    if (last < first || last > 8192) return null;
    for (let member = first; member <= last; member++) members.add(member);
  }
  return [...members].sort((a, b) => a - b);
}

function countList(text: string): number {
  return parseList(text)?.length ?? 1;
}

const limitNames: Record<string, string> = {
  'Max cpu time': 'RLIMIT_CPU',
  'Max file size': 'RLIMIT_FSIZE',
  'Max data size': 'RLIMIT_DATA',
  'Max stack size': 'RLIMIT_STACK',
  'Max core file size': 'RLIMIT_CORE',
  'Max resident set': 'RLIMIT_RSS',
  'Max processes': 'RLIMIT_NPROC',
  'Max open files': 'RLIMIT_NOFILE',
  'Max locked memory': 'RLIMIT_MEMLOCK',
  'Max address space': 'RLIMIT_AS',
  'Max file locks': 'RLIMIT_LOCKS',
  'Max pending signals': 'RLIMIT_SIGPENDING',
  'Max msgqueue size': 'RLIMIT_MSGQUEUE',
  'Max nice priority': 'RLIMIT_NICE',
  'Max realtime priority': 'RLIMIT_RTPRIO',
  'Max realtime timeout': 'RLIMIT_RTTIME',
};

/** RLIM_INFINITY of getrlimit(2). */
export const unlimited = 0xffff_ffff_ffff_ffffn;

/** Hard limits out of /proc/PID/limits (proc(5)), whose columns are separated by at least two blanks. */
export function parseLimits(text: string): Map<string, bigint> {
  const limits = new Map<string, bigint>();
  for (const line of text.split('\n').slice(1)) {
    const [title, , hard] = line.split(/\s{2,}/);
    const name = limitNames[title ?? ''];
    if (name && hard) limits.set(name, hard === 'unlimited' ? unlimited : BigInt(hard));
  }
  return limits;
}

function readOsRelease(): Map<string, string> {
  const values = new Map<string, string>();
  for (const line of readText('/etc/os-release', readText('/usr/lib/os-release', '')).split('\n')) {
    const match = /^([A-Z_]+)=(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|(.*))$/.exec(line.trim());
    if (match) values.set(match[1] as string, match[2] ?? match[3] ?? match[4] ?? '');
  }
  return values;
}

function readText(path: string, fallback: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    // Absent on kernels built without the feature that the file describes.
    return fallback;
  }
}

function exists(path: string): boolean {
  try {
    readdirSync(path);
    return true;
  } catch {
    // Not there, or no rights to look: both mean that it cannot be used.
    return false;
  }
}
