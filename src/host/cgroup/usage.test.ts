import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type CgroupFacts, readCgroupFacts } from './detect.ts';
import { readCgroupUsage } from './usage.ts';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'cgroup-'));
});
afterAll(() => rm(root, { recursive: true }));

async function write(files: Record<string, string>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), text);
  }
}

describe('version 2', () => {
  let facts: CgroupFacts;
  beforeAll(async () => {
    await write({
      'two/cgroup.controllers': 'cpuset cpu io memory pids\n',
      'two/x/cpu.stat':
        'usage_usec 1500\nuser_usec 1000\nsystem_usec 500\nnr_periods 4\nnr_throttled 2\nthrottled_usec 7\n',
      'two/x/memory.current': '4096\n',
      'two/x/memory.max': 'max\n',
      'two/x/memory.stat': 'anon 100\nfile 200\ninactive_file 50\n',
      'two/x/memory.events': 'low 0\nhigh 0\nmax 9\noom 3\noom_kill 1\n',
      'two/x/pids.current': '3\n',
      'two/x/pids.max': '20\n',
      'two/x/io.stat': '254:0 rbytes=4096 wbytes=8192 rios=1 wios=2 dbytes=0 dios=0\n',
    });
    facts = readCgroupFacts(`30 1 0:26 / ${root}/two rw - cgroup2 cgroup2 rw\n`);
  });

  test('is told from its mount alone', () => {
    expect([facts.version, facts.hybrid, facts.memoryLimit, facts.oomKillDisable]).toEqual([2, false, true, false]);
    expect([...new Set(facts.controllers.values())]).toEqual([`${root}/two`]);
  });

  test('times are nanoseconds, and counters stand under Docker’s names', async () => {
    expect(await readCgroupUsage(facts, '/x')).toEqual({
      cpu: {
        ...{ total: 1_500_000, perCpu: null, kernel: 500_000, user: 1_000_000 },
        ...{ periods: 4, throttledPeriods: 2, throttledTime: 7000 },
      },
      memory: {
        ...{ usage: 4096, maximum: null, failures: 3, limit: null },
        details: { anon: 100, file: 200, inactive_file: 50 },
      },
      pids: { current: 3, limit: 20 },
      bytes: [
        { major: 254, minor: 0, op: 'read', value: 4096 },
        { major: 254, minor: 0, op: 'write', value: 8192 },
      ],
      operations: [
        { major: 254, minor: 0, op: 'read', value: 1 },
        { major: 254, minor: 0, op: 'write', value: 2 },
      ],
    });
  });

  test('a cgroup that is gone has used nothing', async () => {
    expect(await readCgroupUsage(facts, '/nope')).toMatchObject({
      cpu: { total: 0 },
      pids: { current: 0, limit: null },
    });
  });
});

describe('version 1', () => {
  test('each controller has a hierarchy of its own, and big numbers keep their digits', async () => {
    await write({
      'one/cpuacct/x/cpuacct.usage': '9007199254740993\n',
      'one/cpuacct/x/cpuacct.usage_percpu': '10 20 \n',
      'one/cpuacct/x/cpuacct.stat': 'user 2\nsystem 1\n',
      'one/cpu/x/cpu.stat': 'nr_periods 5\nnr_throttled 1\nthrottled_time 99\n',
      'one/memory/x/memory.usage_in_bytes': '100\n',
      'one/memory/x/memory.max_usage_in_bytes': '200\n',
      'one/memory/x/memory.failcnt': '1\n',
      'one/memory/x/memory.limit_in_bytes': '9223372036854771712\n',
      'one/memory/x/memory.stat': 'cache 7\ntotal_inactive_file 3\n',
      'one/blkio/x/blkio.throttle.io_service_bytes_recursive': '254:0 Read 11\n254:0 Write 12\nTotal 23\n',
    });
    const mount = (name: string): string => `30 1 0:26 / ${root}/one/${name} rw - cgroup cgroup rw,${name}\n`;
    const facts = readCgroupFacts(['cpuacct', 'cpu', 'memory', 'blkio'].map(mount).join(''));
    expect([facts.version, facts.pids]).toEqual([1, false]);
    expect(await readCgroupUsage(facts, '/x')).toEqual({
      cpu: {
        ...{ total: 9_007_199_254_740_993n, perCpu: [10, 20], kernel: 10_000_000, user: 20_000_000 },
        ...{ periods: 5, throttledPeriods: 1, throttledTime: 99 },
      },
      memory: {
        ...{ usage: 100, maximum: 200, failures: 1, limit: null },
        details: { cache: 7, total_inactive_file: 3 },
      },
      pids: { current: 0, limit: null },
      bytes: [
        { major: 254, minor: 0, op: 'read', value: 11 },
        { major: 254, minor: 0, op: 'write', value: 12 },
      ],
      operations: [],
    });
  });
});
