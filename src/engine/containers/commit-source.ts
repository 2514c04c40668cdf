import { BerthError } from '../../api/errors.ts';
import type { CommitSource } from '../images/types.ts';
import type { Container } from './container.ts';
import type { ContainerContext } from './context.ts';
import { mergeConfig } from './merge-config.ts';
import { freeze } from './pause.ts';

/** A container as `commit` sees it. Error: `not-found`. */
export function commitSource(context: ContainerContext, reference: string): CommitSource {
  const container = context.index.find(reference);
  const { record } = container;
  const check = (): void => {
    if (context.index.byId(container.id) !== container || record.state === 'removing' || record.state === 'dead')
      throw new BerthError('conflict', `You cannot commit container ${container.id} which is being removed`);
  };
  check();
  return {
    id: container.id,
    image: record.image,
    config: record.config,
    async upper() {
      const { files, paths } = context.dependencies;
      container.prepared ??= files.prepare(container.id);
      await container.prepared;
      return paths.container(container.id).upper;
    },
    holdStill: () => holdStill(context, container),
    complete: (own) => mergeConfig(own, record.config),
    check,
    committed: (attributes) => context.publish(container, 'commit', attributes),
  };
}

/**
 * Pauses a running container. The books are not told: should the engine die meanwhile, its next start lets the container go on.
 * One that does not run (any more), or is paused already, is left as it is.
 */
async function holdStill(context: ContainerContext, container: Container): Promise<() => Promise<void>> {
  const isHeld = await context.mutex.run(container.id, async () => {
    if (container.state !== 'running' || !(await freeze(context, container))) return false;
    context.publish(container, 'pause');
    return true;
  });
  if (!isHeld) return () => Promise.resolve();
  return () =>
    context.mutex.run(container.id, async () => {
      // Somebody has let it go on, or ended it, before us.
      if (container.state !== 'paused') return;
      await context.thaw(container);
      context.publish(container, 'unpause');
    });
}
