import { healthUnwatched } from '../health/health-state.ts';
import type { ContainerContext } from './context.ts';

/** Freezes every process of the container. Errors: `conflict` in dockerd's words for one that does not run or is paused. */
export function pauseContainer(context: ContainerContext, reference: string): Promise<void> {
  const container = context.index.find(reference);
  return context.mutex.run(container.id, async () => {
    container.check('pause', reference);
    await context.dependencies.freezer.freeze(context.cgroupOf(container));
    container.move('pause', reference);
    context.unwatched(container);
    container.record.health = healthUnwatched(container.record.health);
    context.index.save(container);
    context.publish(container, 'pause');
  });
}

/** Lets it go on. Error: `internal` (as dockerd) for one that is not paused. */
export function unpauseContainer(context: ContainerContext, reference: string): Promise<void> {
  const container = context.index.find(reference);
  return context.mutex.run(container.id, async () => {
    container.check('unpause', reference);
    await context.thaw(container);
    context.publish(container, 'unpause');
  });
}
