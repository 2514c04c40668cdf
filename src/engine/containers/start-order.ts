import { together } from '../../base/together.ts';
import type { Container } from './container.ts';
import type { ContainerIndex } from './container-index.ts';
import { containerOfMode, isContainerMode } from './spec/namespaces.ts';

/**
 * Names or ids of the containers that must run, or must have been prepared, before this one: those whose namespaces it joins, that it
 * is linked to, and whose volumes it mounts.
 */
function neededBy({ record }: Container): string[] {
  const { NetworkMode, PidMode, IpcMode, Links, VolumesFrom } = record.hostConfig;
  const joined = [NetworkMode, PidMode, IpcMode].filter(isContainerMode).map(containerOfMode);
  const linked = Object.values(record.endpoints).flatMap(({ Links: links }) => links ?? []);
  return [...joined, ...[...(Links ?? []), ...linked, ...(VolumesFrom ?? [])].map(beforeColon)];
}

/** `name:alias`, `name:ro` → `name` */
function beforeColon(text: string): string {
  return text.split(':', 1)[0] as string;
}

/**
 * Runs `start` for each container as soon as it has run for all that the container needs; a circle is cut where it closes.
 * Resolves when all are done. @param start must not reject
 */
export async function inStartOrder(
  due: readonly Container[],
  index: Pick<ContainerIndex, 'find'>,
  start: (container: Container) => Promise<void>,
): Promise<void> {
  const wanted = new Set(due);
  const begun = new Map<Container, Promise<void>>();
  const begin = (container: Container, above: readonly Container[]): Promise<void> => {
    const known = begun.get(container);
    if (known) return known;
    const path = [...above, container];
    const first = neededBy(container)
      .map((reference) => found(index, reference))
      .filter((other) => other !== null && wanted.has(other) && !path.includes(other))
      .map((other) => begin(other as Container, path));
    const own = together(first).then(() => start(container));
    begun.set(container, own);
    return own;
  };
  await Promise.all(due.map((container) => begin(container, [])));
}

function found(index: Pick<ContainerIndex, 'find'>, reference: string): Container | null {
  try {
    return index.find(reference);
  } catch {
    // It was removed; the start itself says what is missing.
    return null;
  }
}
