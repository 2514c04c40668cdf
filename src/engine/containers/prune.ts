import { errorKind } from '../../api/errors.ts';
import type { ContainersPruneReport } from '../../api/types/container.ts';
import { type Filters, matchesLabels } from '../../wire/filters.ts';
import { parseMoment } from '../../wire/time.ts';
import type { ContainerContext } from './context.ts';
import { removeContainer } from './remove.ts';

/** Removes every container that does not run and fits the filters (`until`, `label`, `label!`). */
export async function pruneContainers(context: ContainerContext, filters: Filters): Promise<ContainersPruneReport> {
  const until = filters.get('until')?.[0];
  const latest = until === undefined ? null : parseMoment(until, new Date());
  const idle = [...context.index.all()].filter(({ record }) => {
    if (record.state !== 'created' && record.state !== 'exited' && record.state !== 'dead') return false;
    if (!matchesLabels(filters, record.config.Labels)) return false;
    return latest === null || BigInt(Date.parse(record.created)) * 1_000_000n <= latest;
  });
  const sizes = await context.dependencies.files.sizesOf(idle.map(({ id }) => id));
  const deleted: string[] = [];
  let reclaimed = 0;
  for (const [index, { id }] of idle.entries()) {
    try {
      await removeContainer(context, id, { force: false, removeVolumes: false, removeLink: false });
    } catch (error) {
      // Started again or removed meanwhile: as under dockerd the others go all the same.
      const kind = errorKind(error);
      if (kind !== 'conflict' && kind !== 'not-found') throw error;
      continue;
    }
    deleted.push(id);
    reclaimed += sizes[index] ?? 0;
  }
  context.dependencies.events.publish('container', 'prune', '', { reclaimed: String(reclaimed) });
  return { ContainersDeleted: deleted.length > 0 ? deleted : null, SpaceReclaimed: reclaimed };
}
