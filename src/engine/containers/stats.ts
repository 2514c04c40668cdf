import { readFile } from 'node:fs/promises';
import type { BlkioStats, ContainerStats, CpuStats, InterfaceStats } from '../../api/types/stats.ts';
import { type CgroupUsage, type Counter, readCgroupUsage, shrink } from '../../host/cgroup/usage.ts';
import { zeroTime } from '../../wire/time.ts';
import { timestamp } from './clock.ts';
import type { Container } from './container.ts';
import type { ContainerContext } from './context.ts';
import { isAlive } from './states.ts';

export interface StatsOptions {
  /** A reading a second, until `signal` aborts or the container is removed. */
  stream: boolean;
  /** No reading before the one that is given. */
  oneShot: boolean;
  signal: AbortSignal;
}

/** Milliseconds between two readings. */
const interval = 1000;

/** Readings of a container; one that does not run gives Go's zeros, as dockerd does. Error: `not-found`. */
export function containerStats(
  context: ContainerContext,
  reference: string,
  options: StatsOptions,
): AsyncIterable<ContainerStats> {
  return readings(context, context.index.find(reference), options);
}

async function* readings(
  context: ContainerContext,
  container: Container,
  options: StatsOptions,
): AsyncGenerator<ContainerStats> {
  let before: ContainerStats | null = null;
  if (!options.stream && !options.oneShot && isAlive(container.state)) {
    before = await read(context, container, null);
    if (!(await pause(options.signal))) return;
  }
  for (;;) {
    const reading = await read(context, container, before);
    yield reading;
    if (!options.stream) return;
    before = reading;
    if (!(await pause(options.signal))) return;
    if (context.index.byId(container.id) !== container) return;
  }
}

/** False: aborted meanwhile. */
async function pause(signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return false;
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(true), interval);
  const stop = (): void => resolve(false);
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
}

async function read(
  context: ContainerContext,
  container: Container,
  before: ContainerStats | null,
): Promise<ContainerStats> {
  const empty = emptyStats(container);
  if (!isAlive(container.state)) return empty;
  const { host } = context.dependencies;
  const [usage, system, networks] = await Promise.all([
    readCgroupUsage(host.cgroup, context.cgroupOf(container)),
    hostCpuTime(),
    interfaceStats(container),
  ]);
  const stats: ContainerStats = {
    ...empty,
    read: timestamp(),
    preread: before?.read ?? zeroTime,
    pids_stats:
      usage.pids.limit === null
        ? { current: usage.pids.current }
        : { current: usage.pids.current, limit: usage.pids.limit },
    blkio_stats: blockStats(usage),
    cpu_stats: cpuStats(usage, { system, cpus: host.cpus }),
    precpu_stats: before?.cpu_stats ?? empty.cpu_stats,
    memory_stats: memoryStats(usage, host.memory),
  };
  if (networks) stats.networks = networks;
  return stats;
}

function emptyStats(container: Container): ContainerStats {
  const cpu: CpuStats = {
    cpu_usage: { total_usage: 0, usage_in_kernelmode: 0, usage_in_usermode: 0 },
    throttling_data: { periods: 0, throttled_periods: 0, throttled_time: 0 },
  };
  return {
    name: `/${container.record.name}`,
    id: container.id,
    read: zeroTime,
    preread: zeroTime,
    pids_stats: {},
    blkio_stats: {
      io_service_bytes_recursive: null,
      io_serviced_recursive: null,
      io_queue_recursive: null,
      io_service_time_recursive: null,
      io_wait_time_recursive: null,
      io_merged_recursive: null,
      io_time_recursive: null,
      sectors_recursive: null,
    },
    num_procs: 0,
    storage_stats: {},
    cpu_stats: cpu,
    precpu_stats: cpu,
    memory_stats: {},
  };
}

function cpuStats(usage: CgroupUsage, host: { system: Counter; cpus: number }): CpuStats {
  const { cpu } = usage;
  return {
    cpu_usage: {
      total_usage: cpu.total,
      ...(cpu.perCpu && { percpu_usage: cpu.perCpu }),
      usage_in_kernelmode: cpu.kernel,
      usage_in_usermode: cpu.user,
    },
    system_cpu_usage: host.system,
    online_cpus: host.cpus,
    throttling_data: {
      periods: cpu.periods,
      throttled_periods: cpu.throttledPeriods,
      throttled_time: cpu.throttledTime,
    },
  };
}

function memoryStats(usage: CgroupUsage, hostMemory: number): ContainerStats['memory_stats'] {
  const { memory } = usage;
  return {
    usage: memory.usage,
    ...(memory.maximum !== null && { max_usage: memory.maximum }),
    stats: memory.details,
    ...(memory.failures > 0 && { failcnt: memory.failures }),
    limit: memory.limit ?? hostMemory,
  };
}

function blockStats(usage: CgroupUsage): BlkioStats {
  return {
    io_service_bytes_recursive: usage.bytes,
    io_serviced_recursive: usage.operations,
    io_queue_recursive: [],
    io_service_time_recursive: [],
    io_wait_time_recursive: [],
    io_merged_recursive: [],
    io_time_recursive: [],
    sectors_recursive: [],
  };
}

const nanosecondsPerTick = 10_000_000n;
/** user nice system idle iowait irq softirq steal; what guests use is in user and nice already. */
const cpuFields = 8;

/** Milliseconds for which one look at the time of the host serves all readings: a hundredth of what lies between two of them. */
const sharedFor = 10;
let shared: { at: number; time: Promise<Counter> } | null = null;

function hostCpuTime(): Promise<Counter> {
  const now = performance.now();
  if (!shared || now - shared.at > sharedFor) shared = { at: now, time: readHostCpuTime() };
  return shared.time;
}

/** Nanoseconds of all CPUs of the host since the boot, idle ones included (proc(5), stat). */
async function readHostCpuTime(): Promise<Counter> {
  const text = await readFile('/proc/stat', 'utf8');
  const fields = /^cpu +(.*)$/m.exec(text)?.[1]?.split(' ') ?? [];
  return shrink(fields.slice(0, cpuFields).reduce((sum, field) => sum + BigInt(field), 0n) * nanosecondsPerTick);
}

/** /proc/PID/net/dev of the container's own namespace; null where it has none of its own. */
async function interfaceStats(container: Container): Promise<Record<string, InterfaceStats> | null> {
  const mode = container.record.hostConfig.NetworkMode;
  if (mode === 'host' || mode.startsWith('container:')) return null;
  let text: string;
  try {
    text = await readFile(`/proc/${container.pid}/net/dev`, 'utf8');
  } catch {
    // The process ended while it was read; the next reading says so.
    return null;
  }
  const interfaces: Record<string, InterfaceStats> = {};
  for (const line of text.split('\n').slice(2)) {
    const [name, rest] = line.split(':');
    const fields = rest?.trim().split(/\s+/).map(Number);
    if (!name || !fields || name.trim() === 'lo') continue;
    const [
      rxBytes = 0,
      rxPackets = 0,
      rxErrors = 0,
      rxDropped = 0,
      ,
      ,
      ,
      ,
      txBytes = 0,
      txPackets = 0,
      txErrors = 0,
      txDropped = 0,
    ] = fields;
    interfaces[name.trim()] = {
      rx_bytes: rxBytes,
      rx_packets: rxPackets,
      rx_errors: rxErrors,
      rx_dropped: rxDropped,
      tx_bytes: txBytes,
      tx_packets: txPackets,
      tx_errors: txErrors,
      tx_dropped: txDropped,
    };
  }
  return interfaces;
}
