import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BerthError } from '../../api/errors.ts';
import type { ContainerUpdateRequest, ContainerUpdateResponse, HostConfig } from '../../api/types/container.ts';
import { isThere } from '../../host/process/is-there.ts';
import { stringifyJson } from '../../wire/json.ts';
import type { Container } from './container.ts';
import type { ContainerContext } from './context.ts';
import { containerResources } from './spec/resources.ts';
import { isAlive } from './states.ts';
import { checkRestartPolicy } from './validate/config.ts';
import { checkResources, leastMemory } from './validate/resources.ts';

/** Limits that can be changed, where the request has something else than Go's zero. */
const numbers = [
  'CpuShares',
  'Memory',
  'NanoCpus',
  'BlkioWeight',
  'CpuPeriod',
  'CpuQuota',
  'CpuRealtimePeriod',
  'CpuRealtimeRuntime',
  'MemoryReservation',
  'MemorySwap',
] as const;

/**
 * Changes limits and restart policy; a running container feels it at once. Errors: `invalid` in dockerd's words, `conflict`
 * for one that is being removed, `internal` with the runtime's reason.
 */
export async function updateContainer(
  context: ContainerContext,
  reference: string,
  request: ContainerUpdateRequest,
): Promise<ContainerUpdateResponse> {
  const container = context.index.find(reference);
  return context.mutex.run(container.id, async () => {
    if (container.state === 'removing' || container.state === 'dead')
      throw new BerthError(
        'conflict',
        `Cannot update container ${container.id}: Container is marked for removal and cannot be "update".`,
      );
    const { record } = container;
    const changed = structuredClone(record.hostConfig);
    mergeLimits(changed, request, container.id);
    const warnings = checkResources(changed, context.dependencies.host, true);
    if (request.RestartPolicy.Name !== '') {
      if (changed.AutoRemove && request.RestartPolicy.Name !== 'no')
        throw new BerthError(
          'invalid',
          `Restart policy cannot be updated because AutoRemove is enabled for the container`,
        );
      checkRestartPolicy(request);
      changed.RestartPolicy = request.RestartPolicy;
    }
    if (isAlive(container.state)) await applyToLiving(context, container, changed);
    record.hostConfig = changed;
    context.index.save(container);
    await context.dependencies.database.durable();
    context.publish(container, 'update');
    warnings.push(...unchangeable(request));
    return { Warnings: warnings.length > 0 ? warnings : null };
  });
}

/** Keys that dockerd takes and passes over: here the client hears of it. */
const fixed = [
  ...([
    'Ulimits',
    'Devices',
    'DeviceCgroupRules',
    'DeviceRequests',
    'BlkioWeightDevice',
    'BlkioDeviceReadBps',
  ] as const),
  ...(['BlkioDeviceWriteBps', 'BlkioDeviceReadIOps', 'BlkioDeviceWriteIOps'] as const),
];

function unchangeable(request: ContainerUpdateRequest): string[] {
  const asked: string[] = fixed.filter((key) => (request[key]?.length ?? 0) > 0);
  if (request.MemorySwappiness !== null && request.MemorySwappiness !== -1) asked.push('MemorySwappiness');
  if (request.OomKillDisable) asked.push('OomKillDisable');
  if (request.CgroupParent !== '') asked.push('CgroupParent');
  return asked.map((key) => `${key} cannot be changed by an update and stays as it is.`);
}

function mergeLimits(host: HostConfig, request: ContainerUpdateRequest, id: string): void {
  if (isSet(request.NanoCpus) && (isSet(host.CpuPeriod) || isSet(host.CpuQuota)))
    throw new BerthError(
      'conflict',
      `Cannot update container ${id}: Conflicting options: Nano CPUs cannot be updated as CPU ${isSet(host.CpuPeriod) ? 'Period' : 'Quota'} has already been set`,
    );
  if (isSet(host.NanoCpus) && (isSet(request.CpuPeriod) || isSet(request.CpuQuota)))
    throw new BerthError(
      'conflict',
      `Cannot update container ${id}: Conflicting options: CPU ${isSet(request.CpuPeriod) ? 'Period' : 'Quota'} cannot be updated as NanoCPUs has already been set`,
    );
  // dockerd asks so too where there is no limit yet, or none for swap. What is too little for any container it says first, as we do later.
  if (request.Memory >= leastMemory && !isSet(request.MemorySwap) && request.Memory > host.MemorySwap)
    throw new BerthError(
      'conflict',
      `Cannot update container ${id}: Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time`,
    );
  for (const key of numbers) {
    const value = request[key];
    if (isSet(value)) (host as Record<typeof key, number | bigint>)[key] = value;
  }
  if (request.CpusetCpus) host.CpusetCpus = request.CpusetCpus;
  if (request.CpusetMems) host.CpusetMems = request.CpusetMems;
  if (request.PidsLimit !== null) host.PidsLimit = request.PidsLimit;
}

function isSet(value: number | bigint): boolean {
  return value !== 0 && value !== 0n;
}

/** One that ends at this moment has nothing left to limit: the new limits are the next start's. */
async function applyToLiving(context: ContainerContext, container: Container, host: HostConfig): Promise<void> {
  try {
    await applyLimits(context, container, host);
  } catch (error) {
    if (isThere(container.pid)) throw error;
  }
}

async function applyLimits(context: ContainerContext, container: Container, host: HostConfig): Promise<void> {
  const { paths, settings } = context.dependencies;
  const runtime = settings.runtimes.get(host.Runtime);
  if (!runtime) throw new BerthError('invalid', `unknown or invalid runtime name: ${host.Runtime}`);
  const { devices: _, ...resources } = await containerResources(host, []);
  const file = join(paths.container(container.id).bundle, 'update.json');
  await writeFile(file, stringifyJson(resources), { mode: 0o600 });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const words = [...runtime.arguments, '--root', paths.runtime, 'update', '--resources', file, container.id];
  execFile(runtime.path, words, (error, _stdout, stderr) => {
    if (!error) return resolve();
    const reason = stderr.trim().split('\n').at(-1) || error.message;
    reject(new BerthError('internal', `Cannot update container ${container.id}: ${reason}`, { cause: error }));
  });
  return promise;
}
