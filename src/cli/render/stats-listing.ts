/** The fields of `stats`, in Docker's words and with its arithmetic. */
import type { ContainerStats } from '../../api/types/stats.ts';
import { binarySize, humanSize } from '../../wire/size.ts';
import type { Listing } from './listing-fields.ts';
import { shortId } from './text.ts';

export interface StatsRow {
  /** As the user named it. */
  container: string;
  id: string;
  name: string;
  cpuPercent: number;
  memory: number;
  limit: number;
  received: number;
  sent: number;
  read: number;
  written: number;
  processes: number;
}

export function readStats(container: string, reading: ContainerStats): StatsRow {
  const { memory_stats: memory, networks, blkio_stats: blocks } = reading;
  const interfaces = Object.values(networks ?? {});
  const sum = (values: readonly (number | bigint)[]): number =>
    values.reduce<number>((total, value) => total + Number(value), 0);
  const operations = (word: string): number =>
    sum(
      (blocks?.io_service_bytes_recursive ?? [])
        .filter(({ op }) => op.toLowerCase() === word)
        .map(({ value }) => value),
    );
  return {
    container,
    id: reading.id ?? '',
    name: (reading.name ?? '').replace(/^\//, ''),
    cpuPercent: cpuPercent(reading),
    memory: memoryInUse(memory),
    limit: Number(memory?.limit ?? 0),
    received: sum(interfaces.map((one) => one.rx_bytes)),
    sent: sum(interfaces.map((one) => one.tx_bytes)),
    read: operations('read'),
    written: operations('write'),
    processes: Number(reading.pids_stats?.current ?? 0),
  };
}

function cpuPercent({ cpu_stats: now, precpu_stats: before }: ContainerStats): number {
  const used = Number(now?.cpu_usage?.total_usage ?? 0) - Number(before?.cpu_usage?.total_usage ?? 0);
  const passed = Number(now?.system_cpu_usage ?? 0) - Number(before?.system_cpu_usage ?? 0);
  const cpus = now?.online_cpus || now?.cpu_usage?.percpu_usage?.length || 0;
  return used > 0 && passed > 0 ? (used / passed) * cpus * 100 : 0;
}

/** Without the pages of files that nobody has touched for a while, which the kernel gives back at once. */
function memoryInUse(memory: ContainerStats['memory_stats'] | undefined): number {
  const usage = Number(memory?.usage ?? 0);
  const inactive = Number(memory?.stats?.['total_inactive_file'] ?? memory?.stats?.['inactive_file'] ?? 0);
  return inactive < usage ? usage - inactive : usage;
}

/** @param truncate false: `--no-trunc` */
export function statsListing(truncate: boolean): Listing<StatsRow> {
  const percent = (value: number): string => `${value.toFixed(2)}%`;
  const container = (row: StatsRow): string =>
    /^[0-9a-f]{64}$/.test(row.container) && truncate ? shortId(row.container) : row.container;
  return {
    type: '*container.statsContext',
    fields: {
      Container: { header: 'CONTAINER ID', text: container },
      Name: { header: 'NAME', text: (row) => row.name || '--' },
      ID: { header: 'CONTAINER ID', text: (row) => (truncate ? shortId(row.id) : row.id) },
      CPUPerc: { header: 'CPU %', text: (row) => percent(row.cpuPercent) },
      MemUsage: { header: 'MEM USAGE / LIMIT', text: (row) => `${binarySize(row.memory)} / ${binarySize(row.limit)}` },
      MemPerc: { header: 'MEM %', text: (row) => percent(row.limit > 0 ? (row.memory / row.limit) * 100 : 0) },
      NetIO: { header: 'NET I/O', text: (row) => `${humanSize(row.received, 3)} / ${humanSize(row.sent, 3)}` },
      BlockIO: { header: 'BLOCK I/O', text: (row) => `${humanSize(row.read, 3)} / ${humanSize(row.written, 3)}` },
      PIDs: { header: 'PIDS', text: (row) => String(row.processes) },
    },
  };
}
