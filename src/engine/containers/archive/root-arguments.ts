import { posix } from 'node:path';
import type { Container } from '../container.ts';
import type { ContainerContext } from '../context.ts';
import type { MountRecord } from '../record.ts';
import { parentsFirst } from '../spec/mounts.ts';

/** Which root, for what, and who holds its volumes meanwhile. */
export interface RootRequest {
  container: Container;
  access: 'read' | 'write';
  holder: string;
}

/**
 * How `shim files` gets at a container's root: through its first process, or by a mount of its own of a container that does not
 * run, with its volumes and bind mounts.
 */
export async function rootArguments(context: ContainerContext, request: RootRequest): Promise<string[]> {
  const { container, access, holder } = request;
  if (container.pid !== 0) return ['--pid', String(container.pid)];
  const { files } = context.dependencies;
  const paths = context.dependencies.paths.container(container.id);
  const lower = await context.lowerLayers(container);
  container.prepared ??= files.prepare(container.id);
  await container.prepared;
  const layers = access === 'read' ? [paths.upper, ...lower] : lower;
  const words = ['--scratch', context.dependencies.paths.temporary];
  for (const layer of layers) words.push('--lower', layer);
  if (access === 'write') words.push('--upper', paths.upper, '--work', paths.work);
  // What is mounted below another mount comes after it.
  for (const mount of parentsFirst(container.record.mounts, ({ destination }) => destination))
    words.push(...(await mountArguments(context, mount, holder)));
  return words;
}

async function mountArguments(context: ContainerContext, mount: MountRecord, holder: string): Promise<string[]> {
  if (mount.type === 'tmpfs' || mount.type === 'image') return [];
  const { volumes } = context.dependencies;
  const source = mount.type === 'volume' ? await volumes.hold(mount.name, holder) : posix.normalize(mount.source);
  if (source === null) return [];
  const flags = `${mount.writable ? '' : 'r'}${mount.nonRecursive ? '' : 'd'}`;
  const words = ['--mount', flags, '--source', source, '--target', mount.destination];
  return mount.subpath === '' ? words : [...words, '--subpath', mount.subpath];
}
