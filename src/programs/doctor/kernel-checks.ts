/** What the kernel must offer. */
import type { Finding } from '../../cli/host-program.ts';
import { type CgroupFacts, readCgroupFacts } from '../../host/cgroup/detect.ts';
import type { Probe } from './probe.ts';

type Judged = Omit<Finding, 'name' | 'gives'>;

/** A finding of a thing that is there or not. */
export function finding(name: string, gives: string, judged: Judged): Finding {
  return { name, ...judged, gives };
}

export const fine = (detail: string): Judged => ({ state: 'ok', detail, remedy: '' });
export const missing = (detail: string, remedy: string): Judged => ({ state: 'missing', detail, remedy });
export const broken = (detail: string, remedy: string): Judged => ({ state: 'broken', detail, remedy });

export async function checkKernel(probe: Probe): Promise<Finding[]> {
  const release = (await probe.read('/proc/sys/kernel/osrelease')) ?? '';
  const status = (await probe.read('/proc/self/status')) ?? '';
  const profiles = await probe.read('/sys/module/apparmor/parameters/enabled');
  return [
    finding('kernel', 'everything', judgeRelease(release)),
    finding(
      'overlay',
      'roots of containers: layers joined into one tree',
      await judgeModule(probe, release, 'overlay'),
    ),
    finding('nf_tables', 'published ports, NAT, separate networks', await judgeModule(probe, release, 'nf_tables')),
    finding('bridge', 'networks of containers', await judgeModule(probe, release, 'bridge')),
    finding('veth', 'networks of containers', await judgeModule(probe, release, 'veth')),
    finding(
      'seccomp',
      'a filter of system calls around each container',
      /^Seccomp:/m.test(status)
        ? fine('in the kernel')
        : missing('not in the kernel', 'boot a kernel with CONFIG_SECCOMP_FILTER'),
    ),
    finding(
      'apparmor',
      'a second fence around each container',
      profiles === 'Y' ? fine('enabled') : missing('not enabled', 'apt install apparmor, and boot with apparmor=1'),
    ),
  ];
}

/** overlay mounts of several lower directories with metacopy off, pidfds and openat2 came with 5.6. */
function judgeRelease(release: string): Judged {
  const [major = 0, minor = 0] = release.split('.').map(Number);
  return major > 5 || (major === 5 && minor >= 6) ? fine(release) : broken(release, 'boot a kernel from 5.6 on');
}

/** Loaded, built in, or loadable. */
async function judgeModule(probe: Probe, release: string, name: string): Promise<Judged> {
  const names = `${name}.ko`;
  if (await probe.read(`/sys/module/${name}/initstate`)) return fine('loaded');
  if (((await probe.read('/proc/filesystems')) ?? '').split(/\s+/).includes(name)) return fine('in the kernel');
  if (await probe.program('modprobe')) {
    for (const [file, what] of [
      ['modules.builtin', 'in the kernel'],
      ['modules.dep', 'loadable'],
    ] as const)
      if (((await probe.read(`/lib/modules/${release}/${file}`)) ?? '').includes(`/${names}`)) return fine(what);
  }
  // Built into kernels that come without a list: only what it does can show it.
  const [proof, ...words] = proofs[name] ?? [];
  if (proof && (await probe.output([proof, ...words])) !== null) return fine('in the kernel');
  return broken('neither loaded nor loadable', `boot a kernel with ${name}, or install its modules`);
}

/** Commands that succeed where the kernel has the thing, and change nothing. */
const proofs: Record<string, readonly string[]> = {
  nf_tables: ['nft', 'list', 'tables'],
  bridge: ['ip', 'link', 'show', 'type', 'bridge'],
  veth: ['ip', 'link', 'show', 'type', 'veth'],
};

/** What a limit needs, and which options of `berth run` it makes work. */
export async function checkCgroups(probe: Probe): Promise<Finding[]> {
  const mounts = await probe.read('/proc/self/mountinfo');
  const facts = mounts === null ? null : readCgroupFacts(mounts);
  if (!facts || facts.controllers.size === 0)
    return [finding('cgroups', 'limits and statistics', broken('none are mounted', 'mount cgroup2 at /sys/fs/cgroup'))];
  const layout =
    facts.version === 2 ? 'version 2' : `version 1${facts.hybrid ? ' with an empty version 2 beside it' : ''}`;
  return [finding('cgroups', 'limits and statistics', fine(layout)), ...controllerFindings(facts)];
}

function controllerFindings(facts: CgroupFacts): Finding[] {
  const rows: [name: string, works: boolean, gives: string][] = [
    ['memory', facts.memoryLimit, '--memory, OOM kills inside the container, memory in stats'],
    ['swap', facts.swapLimit, '--memory-swap'],
    ['cpu', facts.cpuShares && facts.cpuQuota, '--cpus, --cpu-shares, --cpu-quota'],
    ['cpuset', facts.cpuset, '--cpuset-cpus, --cpuset-mems'],
    ['pids', facts.pids, '--pids-limit'],
    ['io', facts.blkioThrottle, '--device-read-bps and its relatives, block I/O in stats'],
  ];
  return rows.map(([name, works, gives]) =>
    finding(`cgroup ${name}`, gives, works ? fine('there') : missing('not there', remedyOf(name))),
  );
}

function remedyOf(controller: string): string {
  return controller === 'swap'
    ? 'boot with swapaccount=1'
    : `boot with a kernel and a command line that have the controller ${controller}`;
}
