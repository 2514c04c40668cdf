import { healthUnwatched } from '../health/health-state.ts';
import type { Container } from './container.ts';
import type { ContainerContext } from './context.ts';
import { notRunning } from './states.ts';

/** Freezes every process of the container. Errors: `conflict` in dockerd's words for one that does not run or is paused. */
export function pauseContainer(context: ContainerContext, reference: string): Promise<void> {
  const container = context.index.find(reference);
  return context.mutex.run(container.id, async () => {
    container.check('pause', reference);
    if (!(await freeze(context, container))) throw notRunning(container.id);
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

/**
 * Makes a running container a paused one, in the kernel and in memory; the caller holds its mutex. Somebody who ends or removes it
 * meanwhile comes first, because a frozen process does not die. False then, and when it ended by itself.
 */
export async function freeze(context: ContainerContext, container: Container): Promise<boolean> {
  const { freezer } = context.dependencies;
  const cgroup = context.cgroupOf(container);
  const { endings } = container;
  try {
    await freezer.freeze(cgroup);
  } catch (error) {
    if (isGone(error)) return false;
    throw error;
  }
  if (container.endings === endings && container.state === 'running') {
    container.move('pause');
    return true;
  }
  await freezer.thaw(cgroup);
  return false;
}

/** The cgroup went with its last process. */
function isGone(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'ENODEV';
}
