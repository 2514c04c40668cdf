/** Checks of resource limits against the machine, in dockerd's order and words. */
import { BerthError } from '../../../api/errors.ts';
import type { HostConfig } from '../../../api/types/host-config.ts';
import type { CgroupFacts } from '../../../host/cgroup/detect.ts';
import { parseList } from '../../../host/facts.ts';

/** What resources are held against. */
export interface ResourceHost {
  cgroup: CgroupFacts;
  cpus: number;
  onlineCpus: string;
  onlineMemoryNodes: string;
}

/** Bytes. A runtime needs that much to start anything. */
export const leastMemory = 6 * 1024 * 1024;
const nanosPerCpu = 1e9;
const invalid = (message: string): BerthError => new BerthError('invalid', message);
const unsupported = 'or the cgroup is not mounted.';

/**
 * Changes `host` where the machine cannot do what was asked, and gives a warning for each.
 * @param update a running container is changed: memory+swap may stand alone
 */
export function checkResources(host: HostConfig, facts: ResourceHost, update = false): string[] {
  const warnings: string[] = [];
  checkMemory(host, facts.cgroup, { warnings, update });
  checkSwappiness(host, facts.cgroup, warnings);
  checkCpu(host, facts, warnings);
  checkCpuset(host, facts, warnings);
  checkBlockIo(host, facts.cgroup, warnings);
  return warnings;
}

function checkMemory(host: HostConfig, cgroup: CgroupFacts, context: { warnings: string[]; update: boolean }): void {
  const { warnings } = context;
  if (!isZero(host.Memory) && host.Memory < leastMemory) throw invalid('Minimum memory limit allowed is 6MB');
  if (host.Memory > 0 && !cgroup.memoryLimit) {
    warnings.push(`Your kernel does not support memory limit capabilities ${unsupported} Limitation discarded.`);
    host.Memory = 0;
    host.MemorySwap = -1;
  }
  if (host.Memory > 0 && host.MemorySwap !== -1 && !cgroup.swapLimit) {
    warnings.push(`Your kernel does not support swap limit capabilities ${unsupported} Memory limited without swap.`);
    host.MemorySwap = -1;
  }
  if (host.Memory > 0 && host.MemorySwap > 0 && host.MemorySwap < host.Memory)
    throw invalid('Minimum memoryswap limit should be larger than memory limit, see usage');
  if (isZero(host.Memory) && host.MemorySwap > 0 && !context.update)
    throw invalid('You should always set the Memory limit when using Memoryswap limit, see usage');
}

function checkSwappiness(host: HostConfig, cgroup: CgroupFacts, warnings: string[]): void {
  if (Number(host.MemorySwappiness ?? -1) === -1) host.MemorySwappiness = null;
  if (host.MemorySwappiness !== null && !cgroup.swappiness) {
    warnings.push(
      `Your kernel does not support memory swappiness capabilities ${unsupported} Memory swappiness discarded.`,
    );
    host.MemorySwappiness = null;
  }
  if (host.MemorySwappiness !== null && (host.MemorySwappiness < 0 || host.MemorySwappiness > 100))
    throw invalid(`Invalid value: ${host.MemorySwappiness}, valid memory swappiness range is 0-100`);
  if (host.MemoryReservation > 0 && !cgroup.memoryReservation) {
    warnings.push(`Your kernel does not support memory soft limit capabilities ${unsupported} Limitation discarded.`);
    host.MemoryReservation = 0;
  }
  if (host.MemoryReservation > 0 && host.MemoryReservation < leastMemory)
    throw invalid('Minimum memory reservation allowed is 6MB');
  if (host.Memory > 0 && host.MemoryReservation > 0 && host.Memory < host.MemoryReservation)
    throw invalid('Minimum memory limit can not be less than memory reservation limit, see usage');
  if (host.OomKillDisable !== null && !cgroup.oomKillDisable) {
    if (host.OomKillDisable) warnings.push('Your kernel does not support OomKillDisable. OomKillDisable discarded.');
    host.OomKillDisable = null;
  }
  if (host.OomKillDisable && isZero(host.Memory))
    warnings.push(
      'OOM killer is disabled for the container, but no memory limit is set, this can result in the system running out of resources.',
    );
  if (host.PidsLimit !== null && !cgroup.pids) {
    if (host.PidsLimit > 0)
      warnings.push(`Your kernel does not support PIDs limit capabilities ${unsupported} PIDs limit discarded.`);
    host.PidsLimit = null;
  }
}

function checkCpu(host: HostConfig, facts: ResourceHost, warnings: string[]): void {
  const { cgroup } = facts;
  if (host.NanoCpus > 0 && host.CpuPeriod > 0)
    throw invalid('Conflicting options: Nano CPUs and CPU Period cannot both be set');
  if (host.NanoCpus > 0 && host.CpuQuota > 0)
    throw invalid('Conflicting options: Nano CPUs and CPU Quota cannot both be set');
  if (host.NanoCpus > 0 && !cgroup.cpuQuota)
    throw invalid(
      'NanoCPUs can not be set, as your kernel does not support CPU CFS scheduler or the cgroup is not mounted',
    );
  if (host.NanoCpus < 0 || host.NanoCpus > facts.cpus * nanosPerCpu)
    throw invalid(`range of CPUs is from 0.01 to ${facts.cpus}.00, as there are only ${facts.cpus} CPUs available`);
  if (host.CpuShares < 0) throw invalid(`invalid CPU shares (${host.CpuShares}): value must be a positive integer`);
  if (host.CpuShares > 0 && !cgroup.cpuShares) {
    warnings.push(`Your kernel does not support CPU shares ${unsupported} Shares discarded.`);
    host.CpuShares = 0;
  }
  if ((!isZero(host.CpuPeriod) || !isZero(host.CpuQuota)) && !cgroup.cpuQuota) {
    warnings.push('Your kernel does not support CPU CFS scheduler. CPU period/quota discarded.');
    host.CpuPeriod = 0;
    host.CpuQuota = 0;
  }
  if (!isZero(host.CpuPeriod) && (host.CpuPeriod < 1000 || host.CpuPeriod > 1_000_000))
    throw invalid('CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)');
  if (host.CpuQuota > 0 && host.CpuQuota < 1000) throw invalid('CPU cfs quota can not be less than 1ms (i.e. 1000)');
  if ((!isZero(host.CpuRealtimePeriod) || !isZero(host.CpuRealtimeRuntime)) && !cgroup.cpuRealtime)
    throw invalid('kernel does not support CPU real-time scheduler');
  if (!isZero(host.CpuRealtimePeriod) && host.CpuRealtimeRuntime > host.CpuRealtimePeriod)
    throw invalid('cpu real-time runtime cannot be higher than cpu real-time period');
  if (host.CpuPercent > 0) {
    warnings.push('linux does not support CPU percent. Percent discarded.');
    host.CpuPercent = 0;
  }
}

function checkCpuset(host: HostConfig, facts: ResourceHost, warnings: string[]): void {
  if ((host.CpusetCpus || host.CpusetMems) && !facts.cgroup.cpuset) {
    warnings.push(`Your kernel does not support cpuset ${unsupported} Cpuset discarded.`);
    host.CpusetCpus = '';
    host.CpusetMems = '';
  }
  checkSubset({ wanted: host.CpusetCpus, online: facts.onlineCpus, option: 'cpus', title: 'CPUs' });
  checkSubset({ wanted: host.CpusetMems, online: facts.onlineMemoryNodes, option: 'mems', title: 'memory nodes' });
}

function checkSubset(check: { wanted: string; online: string; option: string; title: string }): void {
  const wanted = parseList(check.wanted);
  if (wanted === null)
    throw invalid(`Invalid value ${check.wanted} for cpuset ${check.option}: invalid format: ${check.wanted}`);
  const online = new Set(parseList(check.online) ?? []);
  if (wanted.some((member) => !online.has(member)))
    throw invalid(`Requested ${check.title} are not available - requested ${check.wanted}, available: ${check.online}`);
}

function checkBlockIo(host: HostConfig, cgroup: CgroupFacts, warnings: string[]): void {
  if (host.BlkioWeight > 0 && !cgroup.blkioWeight) {
    warnings.push(`Your kernel does not support Block I/O weight ${unsupported} Weight discarded.`);
    host.BlkioWeight = 0;
  }
  if (host.BlkioWeight !== 0 && (host.BlkioWeight < 10 || host.BlkioWeight > 1000))
    throw invalid('Range of blkio weight is from 10 to 1000');
  if (!isZero(host.IOMaximumBandwidth))
    throw invalid('invalid option: QoS maximum bandwidth configuration is not supported on linux');
  if (!isZero(host.IOMaximumIOps))
    throw invalid('invalid option: QoS maximum IOPs configuration is not supported on linux');
  if (host.BlkioWeightDevice?.length && !cgroup.blkioWeight) {
    warnings.push(`Your kernel does not support Block I/O weight_device ${unsupported} Weight-device discarded.`);
    host.BlkioWeightDevice = [];
  }
  const throttles = [
    ['BlkioDeviceReadBps', 'BPS Block I/O read limit', 'Block I/O BPS read limit'],
    ['BlkioDeviceWriteBps', 'BPS Block I/O write limit', 'Block I/O BPS write limit'],
    ['BlkioDeviceReadIOps', 'IOPS Block read limit', 'Block I/O IOPS read limit'],
    ['BlkioDeviceWriteIOps', 'IOPS Block write limit', 'Block I/O IOPS write limit'],
  ] as const;
  for (const [key, missing, discarded] of throttles) {
    if (!host[key]?.length || cgroup.blkioThrottle) continue;
    warnings.push(`Your kernel does not support ${missing} ${unsupported} ${discarded} discarded.`);
    host[key] = [];
  }
}

function isZero(value: number | bigint): boolean {
  return value === 0 || value === 0n;
}
