/** Which cgroup hierarchies the machine has and what they can do (cgroups(7)). */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface CgroupFacts {
  /** `1` covers the hybrid layout too: what a container is limited by is on version 1 there. */
  version: 1 | 2;
  /** A version 2 hierarchy without controllers is mounted beside version 1. */
  hybrid: boolean;
  /** Directory of each controller; of version 2 all are the same. */
  controllers: Map<string, string>;
  memoryLimit: boolean;
  swapLimit: boolean;
  memoryReservation: boolean;
  swappiness: boolean;
  oomKillDisable: boolean;
  cpuShares: boolean;
  cpuQuota: boolean;
  cpuRealtime: boolean;
  cpuset: boolean;
  pids: boolean;
  blkioWeight: boolean;
  blkioThrottle: boolean;
}

const names = ['cpu', 'cpuset', 'memory', 'pids', 'blkio', 'io', 'devices', 'freezer', 'hugetlb', 'cpuacct'];

/** Reads /proc/self/mountinfo and the hierarchies' files. */
export function readCgroupFacts(mountInfo: string = readFileSync('/proc/self/mountinfo', 'utf8')): CgroupFacts {
  const version1 = new Map<string, string>();
  let unified: string | null = null;
  for (const line of mountInfo.split('\n')) {
    const [left, right] = line.split(' - ');
    const directory = left?.split(' ')[4];
    if (!directory || !right) continue;
    const [type, , options] = right.split(' ');
    if (type === 'cgroup2') unified = directory;
    if (type !== 'cgroup') continue;
    for (const option of (options ?? '').split(',')) {
      if (names.includes(option)) version1.set(option, directory);
    }
  }
  return version1.size > 0 || unified === null ? version1Facts(version1, unified !== null) : version2Facts(unified);
}

function version1Facts(controllers: Map<string, string>, hybrid: boolean): CgroupFacts {
  const has = (controller: string, file: string): boolean => {
    const directory = controllers.get(controller);
    return directory !== undefined && existsSync(join(directory, file));
  };
  return {
    version: 1,
    hybrid,
    controllers,
    memoryLimit: has('memory', 'memory.limit_in_bytes'),
    swapLimit: has('memory', 'memory.memsw.limit_in_bytes'),
    memoryReservation: has('memory', 'memory.soft_limit_in_bytes'),
    swappiness: has('memory', 'memory.swappiness'),
    oomKillDisable: has('memory', 'memory.oom_control'),
    cpuShares: has('cpu', 'cpu.shares'),
    cpuQuota: has('cpu', 'cpu.cfs_quota_us'),
    cpuRealtime: has('cpu', 'cpu.rt_runtime_us'),
    cpuset: controllers.has('cpuset'),
    pids: controllers.has('pids'),
    blkioWeight: has('blkio', 'blkio.weight') || has('blkio', 'blkio.bfq.weight'),
    blkioThrottle: has('blkio', 'blkio.throttle.read_bps_device'),
  };
}

function version2Facts(directory: string): CgroupFacts {
  const controllers = new Map<string, string>();
  for (const name of readFileSync(join(directory, 'cgroup.controllers'), 'utf8').trim().split(/\s+/))
    controllers.set(name, directory);
  const memory = controllers.has('memory');
  const cpu = controllers.has('cpu');
  return {
    version: 2,
    hybrid: false,
    controllers,
    memoryLimit: memory,
    // Every version 2 memory controller has swap files but in the root group, where there is nothing to look at.
    swapLimit: memory,
    memoryReservation: memory,
    swappiness: false,
    oomKillDisable: false,
    cpuShares: cpu,
    cpuQuota: cpu,
    cpuRealtime: false,
    cpuset: controllers.has('cpuset'),
    pids: controllers.has('pids'),
    blkioWeight: controllers.has('io'),
    blkioThrottle: controllers.has('io'),
  };
}
