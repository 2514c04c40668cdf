import { BerthError } from '../../api/errors.ts';
import type {
  Volume,
  VolumeCreateRequest,
  VolumeListResponse,
  VolumeSize,
  VolumesPruneReport,
} from '../../api/types/volume.ts';
import type { TreeSize } from '../../store/native-helper.ts';
import { type Filters, filterBoolean, matchesExactly, matchesLabels, matchesPattern } from '../../wire/filters.ts';
import { shown } from './shown.ts';
import type { ContainerVolumes, StoredVolume, VolumeWish } from './types.ts';
import { anonymousLabel, nameTaken, VolumeBooks, type VolumeDependencies } from './volume-books.ts';
import { VolumeCopies } from './volume-copies.ts';

/** Volumes of the local driver: directories below the data root that outlive their containers. */
export class VolumeService implements ContainerVolumes {
  readonly books: VolumeBooks;
  readonly copies: VolumeCopies;
  readonly #dependencies: VolumeDependencies;

  constructor(dependencies: VolumeDependencies) {
    this.#dependencies = dependencies;
    this.books = new VolumeBooks(dependencies);
    this.copies = new VolumeCopies(this.books, dependencies);
  }

  borrow(wish: VolumeWish): Promise<StoredVolume> {
    return this.books.borrow(wish);
  }

  release(name: string): Promise<void> {
    return this.books.release(name);
  }

  claim(names: readonly string[]): void {
    this.books.claim(names);
  }

  condemn(names: readonly string[]): void {
    this.books.condemn(names);
  }

  bury(name: string): Promise<void> {
    return this.books.bury(name);
  }

  async hold(name: string, holder: string): Promise<string | null> {
    const volume = this.books.find(name);
    if (!volume) return null;
    await this.books.mounts.hold(volume, holder);
    return volume.mountpoint;
  }

  resume(names: readonly string[], holder: string): void {
    for (const name of names) {
      const volume = this.books.find(name);
      if (volume) this.books.mounts.resume(volume, holder);
    }
  }

  async letGo(holder: string): Promise<void> {
    const { mounts } = this.books;
    await Promise.all(mounts.heldBy(holder).map((name) => mounts.letGo(this.books.get(name), holder)));
  }

  /** Error: `not-found`. */
  inspect(name: string): Volume {
    return shown(this.books.get(name));
  }

  list(filters: Filters): VolumeListResponse {
    return { Volumes: this.#select(filters).map(shown), Warnings: null };
  }

  /** All volumes with what they take on disk, for `GET /system/df`. */
  async usage(): Promise<Volume[]> {
    const volumes = this.books.all();
    const sizes = await this.#measure(volumes);
    return volumes.map((volume, index) => ({
      ...shown(volume),
      UsageData: { RefCount: this.#usersOf(volume).length, Size: sizes[index]?.bytes ?? 0 },
    }));
  }

  /** What one volume, or each, takes. Error: `not-found`. */
  async sizes(names: readonly string[]): Promise<VolumeSize[]> {
    const volumes = names.length > 0 ? names.map((name) => this.books.get(name)) : this.#select(new Map());
    const sizes = await this.#measure(volumes);
    return volumes.map((volume, index) => {
      const { bytes, onDisk, entries } = sizes[index] as TreeSize;
      const RefCount = this.#usersOf(volume).length;
      return { Name: volume.name, Size: bytes, DiskSize: onDisk, Entries: entries, RefCount };
    });
  }

  /** A volume of that name is given back. Errors: `invalid`, `not-found` for a driver. */
  async create(request: VolumeCreateRequest): Promise<Volume> {
    const volume = await this.books.ensure({
      name: request.Name,
      driver: request.Driver,
      options: request.DriverOpts,
      labels: request.Labels,
    });
    await this.#dependencies.database.durable();
    return shown(volume);
  }

  /** Errors: `not-found`, `conflict` while a container uses it. */
  remove(name: string, force: boolean): Promise<void> {
    return this.books.mutex.run(name, async () => {
      const volume = this.books.find(name);
      if (!volume) {
        if (force) return;
        throw new BerthError('not-found', `get ${name}: no such volume`);
      }
      if (this.books.isUsed(name)) {
        throw new BerthError('conflict', `remove ${name}: volume is in use - [${this.#usersOf(volume).join(', ')}]`);
      }
      await this.books.remove(volume);
    });
  }

  /** Unused anonymous volumes; with the filter `all`, named ones too. */
  async prune(filters: Filters): Promise<VolumesPruneReport> {
    const all = filterBoolean(filters, 'all', false);
    const deleted: string[] = [];
    let reclaimed = 0;
    const idle = this.books.all().filter(({ name, labels }) => {
      const isAnonymous = labels !== null && anonymousLabel in labels;
      return (all || isAnonymous) && matchesLabels(filters, labels) && !this.books.isUsed(name);
    });
    const sizes = await this.#measure(idle);
    for (const [index, volume] of idle.entries()) {
      const isGone = await this.books.mutex.run(volume.name, async () => {
        if (this.books.isUsed(volume.name) || this.books.find(volume.name) !== volume) return false;
        await this.books.remove(volume);
        return true;
      });
      if (!isGone) continue;
      reclaimed += sizes[index]?.bytes ?? 0;
      deleted.push(volume.name);
    }
    this.#dependencies.events.publish('volume', 'prune', '', { reclaimed: String(reclaimed) });
    return { VolumesDeleted: deleted.length > 0 ? deleted : null, SpaceReclaimed: reclaimed };
  }

  /**
   * Gives a volume another name; containers that do not run keep it under that name.
   * Errors: `not-found`, `invalid`, `conflict` for a name that is taken, or while a container runs with it.
   */
  async rename(name: string, to: string): Promise<Volume> {
    const { books } = this;
    if (name === to) throw nameTaken(to);
    // In one order, so that two renames across each other do not wait for each other.
    const [first, second] = name < to ? [name, to] : [to, name];
    const volume = await books.mutex.run(first, () =>
      books.mutex.run(second, () => {
        const found = books.get(name);
        return this.#dependencies.users.whileStopped(name, () => {
          if (books.isBorrowed(name) || books.mounts.isHeld(name))
            throw new BerthError('conflict', `rename ${name}: volume is in use`);
          return books.rename(found, to);
        });
      }),
    );
    await this.#dependencies.database.durable();
    return shown(volume);
  }

  #select(filters: Filters): StoredVolume[] {
    const dangling = filters.has('dangling') ? filterBoolean(filters, 'dangling', false) : null;
    return this.books
      .all()
      .filter(
        (volume) =>
          matchesPattern(filters, 'name', volume.name) &&
          matchesExactly(filters, 'driver', volume.driver) &&
          matchesLabels(filters, volume.labels) &&
          (dangling === null || (this.#usersOf(volume).length === 0) === dangling),
      )
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  #usersOf({ name }: StoredVolume): string[] {
    return this.#dependencies.users.containersWith(name);
  }

  #measure(volumes: readonly StoredVolume[]): Promise<TreeSize[]> {
    return this.#dependencies.helper.measure(volumes.map(({ mountpoint }) => mountpoint));
  }
}
