import type { ContainersPruneReport } from '../../api/types/container.ts';
import { type Filters, matchesLabels } from '../../wire/filters.ts';
import { parseMoment } from '../../wire/time.ts';
import type { ContainerContext } from './context.ts';
import { removeContainer } from './remove.ts';

/** Removes every container that does not run and fits the filters (`until`, `label`, `label!`). */
export async function pruneContainers(context: ContainerContext, filters: Filters): Promise<ContainersPruneReport> {
  const until = filters.get('until')?.[0];
  const latest = until === undefined ? null : parseMoment(until, new Date());
  const deleted: string[] = [];
  let reclaimed = 0;
  for (const container of [...context.index.all()]) {
    const { record } = container;
    if (record.state !== 'created' && record.state !== 'exited' && record.state !== 'dead') continue;
    if (!matchesLabels(filters, record.config.Labels)) continue;
    if (latest !== null && BigInt(Date.parse(record.created)) * 1_000_000n > latest) continue;
    const size = await context.dependencies.files.sizeOf(record.id);
    await removeContainer(context, record.id, { force: false, removeVolumes: false, removeLink: false });
    deleted.push(record.id);
    reclaimed += size;
  }
  context.dependencies.events.publish('container', 'prune', '', { reclaimed: String(reclaimed) });
  return { ContainersDeleted: deleted.length > 0 ? deleted : null, SpaceReclaimed: reclaimed };
}
