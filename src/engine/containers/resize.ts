import type { ContainerContext } from './context.ts';
import { isAlive, notRunning } from './states.ts';

/** Changes the size of the container's terminal. Error: `conflict` when it does not run. */
export async function resizeContainer(
  context: ContainerContext,
  reference: string,
  size: { rows: number; columns: number },
): Promise<void> {
  const container = context.index.find(reference);
  if (!isAlive(container.state)) throw notRunning(container.id);
  await context.dependencies.supervisor.resize(container.id, null, size);
  context.publish(container, 'resize', { height: String(size.rows), width: String(size.columns) });
}
