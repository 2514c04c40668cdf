/** `GET /containers/{id}/stats`: wire types of Docker's API 1.52, with Docker's own keys. A stopped container has the zeros of Go. */
import type { Integer64 } from './integer.ts';

export interface CpuUsage {
  /** Nanoseconds, all of them. */
  total_usage: Integer64;
  /** Only on cgroup v1. */
  percpu_usage?: Integer64[];
  usage_in_kernelmode: Integer64;
  usage_in_usermode: Integer64;
}

export interface CpuStats {
  cpu_usage: CpuUsage;
  /** Nanoseconds of all CPUs of the host. */
  system_cpu_usage?: Integer64;
  online_cpus?: number;
  throttling_data: { periods: Integer64; throttled_periods: Integer64; throttled_time: Integer64 };
}

export interface BlkioEntry {
  major: Integer64;
  minor: Integer64;
  /** `read`, `write`, … */
  op: string;
  value: Integer64;
}

export interface BlkioStats {
  io_service_bytes_recursive: BlkioEntry[] | null;
  io_serviced_recursive: BlkioEntry[] | null;
  io_queue_recursive: BlkioEntry[] | null;
  io_service_time_recursive: BlkioEntry[] | null;
  io_wait_time_recursive: BlkioEntry[] | null;
  io_merged_recursive: BlkioEntry[] | null;
  io_time_recursive: BlkioEntry[] | null;
  sectors_recursive: BlkioEntry[] | null;
}

export interface InterfaceStats {
  rx_bytes: Integer64;
  rx_packets: Integer64;
  rx_errors: Integer64;
  rx_dropped: Integer64;
  tx_bytes: Integer64;
  tx_packets: Integer64;
  tx_errors: Integer64;
  tx_dropped: Integer64;
}

export interface ContainerStats {
  /** Since 1.52: `linux`. */
  os_type?: string;
  /** With a leading slash. */
  name: string;
  id: string;
  /** RFC 3339 with nanoseconds; `0001-01-01T00:00:00Z`: no reading. */
  read: string;
  preread: string;
  pids_stats: { current?: Integer64; limit?: Integer64 };
  blkio_stats: BlkioStats;
  num_procs: number;
  storage_stats: Record<string, never>;
  cpu_stats: CpuStats;
  /** The reading before; zeros in the first of a stream and with `one-shot=1`. */
  precpu_stats: CpuStats;
  memory_stats: {
    /** Bytes. */
    usage?: Integer64;
    max_usage?: Integer64;
    /** memory.stat of the cgroup. */
    stats?: Record<string, Integer64>;
    failcnt?: Integer64;
    /** Bytes; the host's memory when there is no limit. */
    limit?: Integer64;
  };
  /** By interface; absent with network mode `host` and when stopped. */
  networks?: Record<string, InterfaceStats>;
}
