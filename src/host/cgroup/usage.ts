/**
 * What a cgroup has used, out of its files (cgroups(7), https://docs.kernel.org/admin-guide/cgroup-v1/ and
 * https://docs.kernel.org/admin-guide/cgroup-v2.html). A file that is not there counts as nothing.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CgroupFacts } from './detect.ts';

export type Counter = number | bigint;

export interface BlockCounter {
  major: number;
  minor: number;
  op: string;
  value: Counter;
}

export interface CgroupUsage {
  /** Nanoseconds. */
  cpu: {
    total: Counter;
    /** Null on version 2. */
    perCpu: Counter[] | null;
    kernel: Counter;
    user: Counter;
    periods: Counter;
    throttledPeriods: Counter;
    throttledTime: Counter;
  };
  memory: {
    usage: Counter;
    /** Null on version 2, where Docker does not tell it. */
    maximum: Counter | null;
    /** How often the limit was hit; on version 2 how often in vain. */
    failures: Counter;
    /** Null: no limit. */
    limit: Counter | null;
    details: Record<string, Counter>;
  };
  pids: { current: Counter; limit: Counter | null };
  bytes: BlockCounter[];
  operations: BlockCounter[];
}

/** @param cgroup relative to the hierarchies' roots */
export function readCgroupUsage(facts: CgroupFacts, cgroup: string): Promise<CgroupUsage> {
  return facts.version === 1 ? readVersion1(facts, cgroup) : readVersion2(facts, cgroup);
}

/** Beyond this a version 1 limit is the kernel's way to say that there is none. */
const noLimit = 2n ** 62n;
const nanosecondsPerTick = 10_000_000n;
const nanosecondsPerMicrosecond = 1_000n;

async function readVersion1(facts: CgroupFacts, cgroup: string): Promise<CgroupUsage> {
  const read = (controller: string, file: string): Promise<string> => {
    const root = facts.controllers.get(controller);
    return root === undefined ? Promise.resolve('') : readText(join(root, cgroup, file));
  };
  const [
    total,
    perCpu,
    ticks,
    throttling,
    usage,
    maximum,
    failures,
    limit,
    details,
    pids,
    pidLimit,
    bytes,
    operations,
  ] = await Promise.all([
    read('cpuacct', 'cpuacct.usage'),
    read('cpuacct', 'cpuacct.usage_percpu'),
    read('cpuacct', 'cpuacct.stat'),
    read('cpu', 'cpu.stat'),
    read('memory', 'memory.usage_in_bytes'),
    read('memory', 'memory.max_usage_in_bytes'),
    read('memory', 'memory.failcnt'),
    read('memory', 'memory.limit_in_bytes'),
    read('memory', 'memory.stat'),
    read('pids', 'pids.current'),
    read('pids', 'pids.max'),
    read('blkio', 'blkio.throttle.io_service_bytes_recursive'),
    read('blkio', 'blkio.throttle.io_serviced_recursive'),
  ]);
  const cpuTicks = parseTable(ticks);
  const cpuStat = parseTable(throttling);
  const memoryLimit = BigInt(counter(limit));
  return {
    cpu: {
      total: counter(total),
      perCpu: perCpu.trim().split(/\s+/).filter(Boolean).map(counter),
      kernel: shrink(BigInt(cpuTicks['system'] ?? 0) * nanosecondsPerTick),
      user: shrink(BigInt(cpuTicks['user'] ?? 0) * nanosecondsPerTick),
      periods: cpuStat['nr_periods'] ?? 0,
      throttledPeriods: cpuStat['nr_throttled'] ?? 0,
      throttledTime: cpuStat['throttled_time'] ?? 0,
    },
    memory: {
      usage: counter(usage),
      maximum: counter(maximum),
      failures: counter(failures),
      limit: limit === '' || memoryLimit >= noLimit ? null : shrink(memoryLimit),
      details: parseTable(details),
    },
    pids: { current: counter(pids), limit: limitOf(pidLimit) },
    bytes: parseBlock1(bytes),
    operations: parseBlock1(operations),
  };
}

async function readVersion2(facts: CgroupFacts, cgroup: string): Promise<CgroupUsage> {
  const root = [...facts.controllers.values()][0] ?? '/sys/fs/cgroup';
  const read = (file: string): Promise<string> => readText(join(root, cgroup, file));
  const [cpuText, usage, limit, details, events, pids, pidLimit, block] = await Promise.all([
    read('cpu.stat'),
    read('memory.current'),
    read('memory.max'),
    read('memory.stat'),
    read('memory.events'),
    read('pids.current'),
    read('pids.max'),
    read('io.stat'),
  ]);
  const cpu = parseTable(cpuText);
  const nanoseconds = (key: string): Counter => shrink(BigInt(cpu[key] ?? 0) * nanosecondsPerMicrosecond);
  const entries = parseBlock2(block);
  return {
    cpu: {
      total: nanoseconds('usage_usec'),
      perCpu: null,
      kernel: nanoseconds('system_usec'),
      user: nanoseconds('user_usec'),
      periods: cpu['nr_periods'] ?? 0,
      throttledPeriods: cpu['nr_throttled'] ?? 0,
      throttledTime: nanoseconds('throttled_usec'),
    },
    memory: {
      usage: counter(usage),
      maximum: null,
      failures: parseTable(events)['oom'] ?? 0,
      limit: limitOf(limit),
      details: parseTable(details),
    },
    pids: { current: counter(pids), limit: limitOf(pidLimit) },
    bytes: entries.bytes,
    operations: entries.operations,
  };
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENODEV') return '';
    throw error;
  }
}

/** Fewer digits than this always fit into a number. */
const safeDigits = 16;

function counter(text: string): Counter {
  const digits = text.trim();
  if (!/^\d+$/.test(digits)) return 0;
  return digits.length < safeDigits ? Number(digits) : shrink(BigInt(digits));
}

/** `max` is no limit. */
function limitOf(text: string): Counter | null {
  return /^\d+$/.test(text.trim()) ? counter(text) : null;
}

/** A number where it holds the value exactly: it costs a fraction of a bigint. */
export function shrink(value: bigint): Counter {
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
}

/** Lines of `key value`. */
function parseTable(text: string): Record<string, Counter> {
  const table: Record<string, Counter> = {};
  for (const line of text.split('\n')) {
    const [key, value] = line.split(' ');
    if (key && value) table[key] = counter(value);
  }
  return table;
}

/** Lines of `8:0 Read 4096`. */
function parseBlock1(text: string): BlockCounter[] {
  const entries: BlockCounter[] = [];
  for (const line of text.split('\n')) {
    const match = /^(\d+):(\d+) (\w+) (\d+)$/.exec(line);
    if (!match) continue;
    entries.push({
      major: Number(match[1]),
      minor: Number(match[2]),
      op: (match[3] as string).toLowerCase(),
      value: counter(match[4] as string),
    });
  }
  return entries;
}

/** Lines of `8:0 rbytes=4096 wbytes=0 rios=1 wios=0`. */
function parseBlock2(text: string): { bytes: BlockCounter[]; operations: BlockCounter[] } {
  const bytes: BlockCounter[] = [];
  const operations: BlockCounter[] = [];
  const kinds: Record<string, [BlockCounter[], string]> = {
    rbytes: [bytes, 'read'],
    wbytes: [bytes, 'write'],
    rios: [operations, 'read'],
    wios: [operations, 'write'],
  };
  for (const line of text.split('\n')) {
    const [device = '', ...pairs] = line.split(' ');
    const [major, minor] = device.split(':').map(Number);
    if (major === undefined || minor === undefined) continue;
    for (const pair of pairs) {
      const [key = '', value = ''] = pair.split('=');
      const kind = kinds[key];
      if (kind) kind[0].push({ major, minor, op: kind[1], value: counter(value) });
    }
  }
  return { bytes, operations };
}
