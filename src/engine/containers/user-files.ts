import type { Container } from './container.ts';
import type { ContainerContext } from './context.ts';
import type { UserFiles } from './spec/users.ts';

const keptImages = 64;

/**
 * /etc/passwd and /etc/group as a container that does not run has them. Those of an image never change, so they are read once
 * for all its containers that have no files of their own yet.
 */
export class UserFileReader {
  readonly #byImage = new Map<string, UserFiles>();

  async read(context: ContainerContext, container: Container, lower: readonly string[]): Promise<UserFiles> {
    const { files, paths } = context.dependencies;
    const { record } = container;
    if (container.hasOwnFiles) return readBoth(files, [paths.container(record.id).upper, ...lower]);
    const known = this.#byImage.get(record.image);
    if (known) return known;
    const read = await readBoth(files, lower);
    if (this.#byImage.size >= keptImages) this.#byImage.clear();
    this.#byImage.set(record.image, read);
    return read;
  }
}

async function readBoth(
  files: ContainerContext['dependencies']['files'],
  layers: readonly string[],
): Promise<UserFiles> {
  const [passwd, group] = await Promise.all([
    files.readRootFile(layers, '/etc/passwd'),
    files.readRootFile(layers, '/etc/group'),
  ]);
  return { passwd, group };
}
