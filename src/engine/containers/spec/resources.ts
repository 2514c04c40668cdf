/** Docker's resource options as the OCI specification writes them. */
import { stat } from 'node:fs/promises';
import { BerthError } from '../../../api/errors.ts';
import type { HostConfig, ThrottleDevice } from '../../../api/types/host-config.ts';
import type { DeviceRule, RuntimeResources, RuntimeThrottle } from '../../../oci/runtime-spec.ts';
import { deviceNumber } from './devices.ts';

/** Microseconds of the period that `--cpus` is a share of. */
const nanoCpuPeriod = 100_000;

/** Error: `internal` for a block device that cannot be looked at. */
export async function containerResources(host: HostConfig, devices: DeviceRule[]): Promise<RuntimeResources> {
  const resources: RuntimeResources = { devices };
  const memory = memoryResources(host);
  if (memory) resources.memory = memory;
  const cpu = cpuResources(host);
  if (cpu) resources.cpu = cpu;
  if (host.PidsLimit !== null && host.PidsLimit > 0) resources.pids = { limit: host.PidsLimit };
  const blockIO = await blockResources(host);
  if (blockIO) resources.blockIO = blockIO;
  return resources;
}

function memoryResources(host: HostConfig): RuntimeResources['memory'] {
  const memory: NonNullable<RuntimeResources['memory']> = {};
  if (host.Memory > 0) memory.limit = host.Memory;
  if (host.MemoryReservation > 0) memory.reservation = host.MemoryReservation;
  // Every negative number means no limit; the kernel knows −1 only.
  if (host.MemorySwap !== 0 && host.MemorySwap !== 0n) memory.swap = host.MemorySwap < 0 ? -1 : host.MemorySwap;
  if (host.MemorySwappiness !== null) memory.swappiness = host.MemorySwappiness;
  if (host.OomKillDisable) memory.disableOOMKiller = true;
  return Object.keys(memory).length > 0 ? memory : undefined;
}

function cpuResources(host: HostConfig): RuntimeResources['cpu'] {
  const cpu: NonNullable<RuntimeResources['cpu']> = {};
  if (host.CpuShares > 0) cpu.shares = host.CpuShares;
  if (host.NanoCpus > 0) {
    cpu.period = nanoCpuPeriod;
    cpu.quota = Math.floor((Number(host.NanoCpus) * nanoCpuPeriod) / 1e9);
  }
  if (host.CpuPeriod > 0) cpu.period = host.CpuPeriod;
  // No limit is what a new cgroup has; crun cannot write a negative number.
  if (host.CpuQuota > 0) cpu.quota = host.CpuQuota;
  if (host.CpuRealtimePeriod > 0) cpu.realtimePeriod = host.CpuRealtimePeriod;
  if (host.CpuRealtimeRuntime !== 0 && host.CpuRealtimeRuntime !== 0n) cpu.realtimeRuntime = host.CpuRealtimeRuntime;
  if (host.CpusetCpus) cpu.cpus = host.CpusetCpus;
  if (host.CpusetMems) cpu.mems = host.CpusetMems;
  return Object.keys(cpu).length > 0 ? cpu : undefined;
}

async function blockResources(host: HostConfig): Promise<RuntimeResources['blockIO']> {
  const block: NonNullable<RuntimeResources['blockIO']> = {};
  if (host.BlkioWeight > 0) block.weight = host.BlkioWeight;
  if (host.BlkioWeightDevice?.length)
    block.weightDevice = await Promise.all(
      host.BlkioWeightDevice.map(async (device) => ({ ...(await numberOf(device.Path)), weight: device.Weight })),
    );
  if (host.BlkioDeviceReadBps?.length) block.throttleReadBpsDevice = await throttles(host.BlkioDeviceReadBps);
  if (host.BlkioDeviceWriteBps?.length) block.throttleWriteBpsDevice = await throttles(host.BlkioDeviceWriteBps);
  if (host.BlkioDeviceReadIOps?.length) block.throttleReadIOPSDevice = await throttles(host.BlkioDeviceReadIOps);
  if (host.BlkioDeviceWriteIOps?.length) block.throttleWriteIOPSDevice = await throttles(host.BlkioDeviceWriteIOps);
  return Object.keys(block).length > 0 ? block : undefined;
}

function throttles(devices: readonly ThrottleDevice[]): Promise<RuntimeThrottle[]> {
  return Promise.all(devices.map(async (device) => ({ ...(await numberOf(device.Path)), rate: device.Rate })));
}

async function numberOf(path: string): Promise<{ major: number; minor: number }> {
  try {
    return deviceNumber((await stat(path)).rdev);
  } catch (cause) {
    throw new BerthError('internal', `stat ${path}: no such file or directory`, { cause });
  }
}
