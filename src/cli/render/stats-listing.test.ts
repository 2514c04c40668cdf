import { expect, test } from 'bun:test';
import type { ContainerStats } from '../../api/types/stats.ts';
import { renderListing } from './listing.ts';
import { readStats, statsListing } from './stats-listing.ts';

const reading = {
  id: 'a'.repeat(64),
  name: '/web',
  pids_stats: { current: 3 },
  cpu_stats: { cpu_usage: { total_usage: 3_000 }, system_cpu_usage: 20_000, online_cpus: 2 },
  precpu_stats: { cpu_usage: { total_usage: 1_000 }, system_cpu_usage: 10_000 },
  memory_stats: { usage: 300 << 20, limit: 1 << 30, stats: { total_inactive_file: 100 << 20 } },
  networks: { eth0: { rx_bytes: 1500, tx_bytes: 10 }, eth1: { rx_bytes: 500, tx_bytes: 0 } },
  blkio_stats: {
    io_service_bytes_recursive: [
      { major: 8, minor: 0, op: 'Read', value: 4096 },
      { major: 8, minor: 0, op: 'write', value: 10_000_000 },
      { major: 8, minor: 0, op: 'Sync', value: 1 },
    ],
  },
} as unknown as ContainerStats;

test("a reading as Docker's arithmetic has it", async () => {
  const rows = [readStats('web', reading)];
  const columns = ['ID', 'Name', 'CPUPerc', 'MemUsage', 'MemPerc', 'NetIO', 'BlockIO', 'PIDs'];
  expect(await renderListing(statsListing(true), rows, { format: '', columns })).toBe(
    'CONTAINER ID   NAME      CPU %     MEM USAGE / LIMIT   MEM %     NET I/O     BLOCK I/O      PIDS\n' +
      'aaaaaaaaaaaa   web       40.00%    200MiB / 1GiB       19.53%    2kB / 10B   4.1kB / 10MB   3\n',
  );
});

test('a container that does not run has zeros', () => {
  const stopped = {
    id: '',
    name: '',
    pids_stats: {},
    cpu_stats: {},
    precpu_stats: {},
    memory_stats: {},
  } as unknown as ContainerStats;
  expect(readStats('x', stopped)).toMatchObject({ cpuPercent: 0, memory: 0, limit: 0, received: 0, processes: 0 });
});
