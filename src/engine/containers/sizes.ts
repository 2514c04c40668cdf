/** Disk usage of containers: asked for by name (`size=1`), because it walks the container's own layer. */
import type { ContainerInspect, ContainerSummary } from '../../api/types/container.ts';
import type { Container } from './container.ts';
import type { ContainerContext } from './context.ts';

/** An image that is gone (`rmi -f`) counts as nothing. */
function imageSize(context: ContainerContext, container: Container): number {
  try {
    return context.dependencies.images.resolve(container.record.image).size;
  } catch {
    // Only its size is lost with it.
    return 0;
  }
}

export async function withSizes(context: ContainerContext, inspect: ContainerInspect): Promise<ContainerInspect> {
  const container = context.index.find(inspect.Id);
  const [own = 0] = await context.dependencies.files.sizesOf([container.id]);
  return { ...inspect, SizeRw: own, SizeRootFs: own + imageSize(context, container) };
}

/** A container that goes meanwhile is left out. */
export async function listWithSizes(
  context: ContainerContext,
  summaries: readonly ContainerSummary[],
): Promise<ContainerSummary[]> {
  const sizes = await context.dependencies.files.sizesOf(summaries.map(({ Id }) => Id));
  return summaries.flatMap((summary, index) => {
    const container = context.index.byId(summary.Id);
    if (!container) return [];
    const own = sizes[index] ?? 0;
    // Docker leaves a zero out of lists.
    return [{ ...summary, ...(own > 0 && { SizeRw: own }), SizeRootFs: own + imageSize(context, container) }];
  });
}
