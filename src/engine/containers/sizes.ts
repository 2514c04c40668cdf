/** Disk usage of containers: asked for by name (`size=1`), because it walks the container's own layer. */
import type { ContainerInspect, ContainerSummary } from '../../api/types/container.ts';
import type { Container } from './container.ts';
import type { ContainerContext } from './context.ts';

/** Bytes of the container's own layer, and with its image. */
async function sizesOf(context: ContainerContext, container: Container): Promise<{ own: number; all: number }> {
  const own = await context.dependencies.files.sizeOf(container.id);
  return { own, all: own + imageSize(context, container) };
}

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
  const { own, all } = await sizesOf(context, context.index.find(inspect.Id));
  return { ...inspect, SizeRw: own, SizeRootFs: all };
}

/** One container after the other: a host has one disk. A container that goes meanwhile is left as it is. */
export async function listWithSizes(
  context: ContainerContext,
  summaries: ContainerSummary[],
): Promise<ContainerSummary[]> {
  const sized: ContainerSummary[] = [];
  for (const summary of summaries) {
    const container = context.index.byId(summary.Id);
    if (!container) continue;
    const { own, all } = await sizesOf(context, container);
    // Docker leaves a zero out of lists.
    sized.push({ ...summary, ...(own > 0 && { SizeRw: own }), SizeRootFs: all });
  }
  return sized;
}
