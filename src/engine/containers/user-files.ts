import type { Paths } from '../../store/paths.ts';
import type { Container } from './container.ts';
import type { UserFiles } from './spec/users.ts';

/** Reads a small file of a root that is not mounted; empty where there is none. */
type ReadRootFile = (layers: readonly string[], path: string) => Promise<string>;

const keptImages = 64;

/**
 * /etc/passwd and /etc/group as a container that does not run has them. Those of an image never change, so they are read once
 * for all its containers that have no files of their own yet.
 */
export class UserFileReader {
  readonly #paths: Paths;
  readonly #readRootFile: ReadRootFile;
  readonly #byImage = new Map<string, UserFiles>();

  constructor(paths: Paths, readRootFile: ReadRootFile) {
    this.#paths = paths;
    this.#readRootFile = readRootFile;
  }

  /** @param lower the layers below the container's own, the top first */
  async read(container: Container, lower: readonly string[]): Promise<UserFiles> {
    const { record } = container;
    if (container.hasOwnFiles) return this.#readBoth([this.#paths.container(record.id).upper, ...lower]);
    const known = this.#byImage.get(record.image);
    if (known) return known;
    const read = await this.#readBoth(lower);
    if (this.#byImage.size >= keptImages) this.#byImage.clear();
    this.#byImage.set(record.image, read);
    return read;
  }

  async #readBoth(layers: readonly string[]): Promise<UserFiles> {
    const [passwd, group] = await Promise.all([
      this.#readRootFile(layers, '/etc/passwd'),
      this.#readRootFile(layers, '/etc/group'),
    ]);
    return { passwd, group };
  }
}
