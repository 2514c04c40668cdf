import { randomBytes } from 'node:crypto';
import { mkdir, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { BerthError } from '../../api/errors.ts';
import { failpoint } from '../../base/failpoint.ts';
import { KeyedMutex } from '../../base/mutex.ts';
import type { BerthDatabase } from '../../store/db/database.ts';
import type { NativeHelper } from '../../store/native-helper.ts';
import type { Paths } from '../../store/paths.ts';
import type { EventBus } from '../events/event-bus.ts';
import { checkDriverOptions } from './mount-options.ts';
import type { StoredVolume, VolumeUsers, VolumeWish } from './types.ts';
import { VolumeMounts } from './volume-mounts.ts';

export interface VolumeDependencies {
  database: BerthDatabase;
  paths: Paths;
  events: EventBus;
  users: VolumeUsers;
  helper: NativeHelper;
}

/** How a new volume comes into the world. */
interface Making {
  /** It goes again unless somebody claims it. */
  lent: boolean;
  /** Puts something into its directory before anybody sees it. */
  fill?: (directory: string) => Promise<void>;
}

/** Marks volumes that nobody named; clients look for it. */
export const anonymousLabel = 'com.docker.volume.anonymous';
const validName = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;
const localDriver = 'local';

/** Which volumes there are: rows of the database, directories on the disk, and the steps between that survive a crash. */
export class VolumeBooks {
  readonly mounts: VolumeMounts;
  /** One change at a time for each name. */
  readonly mutex = new KeyedMutex();
  readonly #dependencies: VolumeDependencies;
  readonly #volumes = new Map<string, StoredVolume>();
  /** Volumes that go unless a container claims them, and how many borrowers hold each volume. */
  readonly #lent = new Set<string>();
  readonly #borrowers = new Map<string, number>();

  constructor(dependencies: VolumeDependencies) {
    this.#dependencies = dependencies;
    this.mounts = new VolumeMounts(dependencies.helper);
    for (const { record, doomed } of this.#rows()) {
      const volume = JSON.parse(record) as StoredVolume;
      if (doomed === 0) this.#volumes.set(volume.name, volume);
    }
  }

  /** Finishes what an engine that died had begun: removes what it had lent or condemned, moves what it was renaming. */
  async recover(): Promise<void> {
    for (const { record, doomed } of this.#rows()) {
      const volume = JSON.parse(record) as StoredVolume;
      if (doomed !== 0) await this.#erase(volume);
      else if (volume.movedFrom !== undefined) await this.#finishMove(volume);
    }
  }

  /** Devices that an engine that died left mounted for nobody go. Call it when the running containers are known. */
  async settle(): Promise<void> {
    for (const volume of this.#volumes.values()) await this.mounts.settle(volume);
  }

  all(): StoredVolume[] {
    return [...this.#volumes.values()];
  }

  find(name: string): StoredVolume | undefined {
    return this.#volumes.get(name);
  }

  /** Error: `not-found`. */
  get(name: string): StoredVolume {
    const volume = this.#volumes.get(name);
    if (!volume) throw new BerthError('not-found', `get ${name}: no such volume`);
    return volume;
  }

  /** See `ContainerVolumes`. */
  borrow(wish: VolumeWish): Promise<StoredVolume> {
    const name = wish.name === '' ? anonymousName() : wish.name;
    return this.mutex.run(name, async () => {
      checkDriver(name, wish.driver);
      const volume = this.#volumes.get(name) ?? (await this.make(name, wish, { lent: true }));
      this.#hold(name);
      return volume;
    });
  }

  /** Nobody removes it until `release`. Error: `not-found`. */
  borrowExisting(name: string): Promise<StoredVolume> {
    return this.mutex.run(name, () => {
      const volume = this.get(name);
      this.#hold(name);
      return volume;
    });
  }

  /** See `ContainerVolumes`. */
  release(name: string): Promise<void> {
    const left = (this.#borrowers.get(name) ?? 0) - 1;
    if (left > 0) this.#borrowers.set(name, left);
    else this.#borrowers.delete(name);
    if (left > 0 || !this.#lent.has(name)) return Promise.resolve();
    if (this.#dependencies.users.containersWith(name).length > 0) {
      this.#lent.delete(name);
      return Promise.resolve();
    }
    return this.bury(name);
  }

  /** See `ContainerVolumes`. */
  claim(names: readonly string[]): void {
    for (const name of names) if (this.#lent.has(name)) this.#setDoomed(name, false);
  }

  /** See `ContainerVolumes`. */
  condemn(names: readonly string[]): void {
    for (const name of names) this.#setDoomed(name, true);
  }

  /** See `ContainerVolumes`. */
  bury(name: string): Promise<void> {
    return this.mutex.run(name, async () => {
      const volume = this.#volumes.get(name);
      if (volume) await this.#bury(volume);
    });
  }

  /** The volume of that name, or a new one; it stays. Errors: as `checkWish`. */
  ensure(wish: VolumeWish): Promise<StoredVolume> {
    const name = wish.name === '' ? anonymousName() : wish.name;
    return this.mutex.run(name, () => {
      checkDriver(name, wish.driver);
      const existing = this.#volumes.get(name);
      if (!existing) return this.make(name, wish, { lent: false });
      this.claim([name]);
      this.#lent.delete(name);
      return existing;
    });
  }

  /** True while a container has it, or somebody borrowed it. */
  isUsed(name: string): boolean {
    return this.isBorrowed(name) || this.#dependencies.users.containersWith(name).length > 0;
  }

  isBorrowed(name: string): boolean {
    return this.#borrowers.has(name);
  }

  /** The caller holds the mutex of its name and knows that nobody uses it. Error: the disk's; the volume stays then. */
  async remove(volume: StoredVolume): Promise<void> {
    this.condemn([volume.name]);
    await this.#bury(volume);
  }

  /** A new volume; the caller holds the mutex of its name. Errors: `invalid`, `not-found` for the driver; what `fill` throws. */
  async make(name: string, wish: VolumeWish, { lent, fill }: Making): Promise<StoredVolume> {
    checkWish(name, wish);
    const { database, paths, events } = this.#dependencies;
    const mountpoint = paths.volume(name);
    const volume: StoredVolume = {
      name,
      driver: localDriver,
      mountpoint,
      created: `${new Date().toISOString().slice(0, 19)}Z`,
      labels: wish.name === '' ? { ...wish.labels, [anonymousLabel]: '' } : wish.labels,
      options: wish.options && Object.keys(wish.options).length > 0 ? wish.options : null,
    };
    // The row first, lent: a directory without a row would be taken for nobody's, one with a row is found after a crash.
    database.requireRoom();
    const row = database.sql.query('INSERT INTO volumes (name, created, record, doomed) VALUES (?, ?, ?, 1)');
    row.run(name, volume.created, JSON.stringify(volume));
    try {
      await failpoint('volume.after-insert');
      await mkdir(mountpoint, { recursive: true, mode: 0o755 });
      await failpoint('volume.after-directory');
      await fill?.(mountpoint);
      if (!lent) this.#setDoomed(name, false);
    } catch (error) {
      await this.#erase(volume);
      throw error;
    }
    this.#volumes.set(name, volume);
    if (lent) this.#lent.add(name);
    events.publish('volume', 'create', name, { driver: localDriver });
    return volume;
  }

  /**
   * Gives a volume another name, in the books of its containers too. The caller holds the mutexes of both names and sees to it
   * that no container of it runs. Errors: `invalid` for a name that is none, `conflict` for one that is taken.
   */
  async rename(volume: StoredVolume, name: string): Promise<StoredVolume> {
    const { paths } = this.#dependencies;
    checkWish(name, { name, driver: '', options: null, labels: null });
    if (this.#volumes.has(name)) throw nameTaken(name);
    const { [anonymousLabel]: _, ...labels } = volume.labels ?? {};
    const renamed: StoredVolume = {
      ...volume,
      name,
      mountpoint: paths.volume(name),
      labels: volume.labels === null || Object.keys(labels).length === 0 ? null : labels,
      movedFrom: volume.mountpoint,
    };
    this.#enterName(volume.name, renamed);
    await failpoint('volume-rename.after-rows');
    const moved = await this.#finishMove(renamed).catch((error: unknown) => {
      this.#enterName(name, volume);
      throw error;
    });
    this.#dependencies.events.publish('volume', 'rename', name, { driver: moved.driver, oldName: volume.name });
    return moved;
  }

  /** One transaction for the volume and its containers. */
  #enterName(old: string, volume: StoredVolume): void {
    const { database, users } = this.#dependencies;
    const update = database.sql.query('UPDATE volumes SET name = ?, record = ?, doomed = 0 WHERE name = ?');
    const enter = database.transaction(() => {
      update.run(volume.name, JSON.stringify(volume), old);
      return users.renameVolume(old, volume);
    });
    enter();
    this.#volumes.delete(old);
    this.#lent.delete(old);
    this.#volumes.set(volume.name, volume);
  }

  /** The directory follows the books. */
  async #finishMove(volume: StoredVolume): Promise<StoredVolume> {
    const { movedFrom, ...settled } = volume;
    if (movedFrom !== undefined) await renameWhereThere(dirname(movedFrom), dirname(volume.mountpoint));
    await failpoint('volume-rename.after-directory');
    const { sql } = this.#dependencies.database;
    sql.query('UPDATE volumes SET record = ? WHERE name = ?').run(JSON.stringify(settled), volume.name);
    this.#volumes.set(volume.name, settled);
    return settled;
  }

  #hold(name: string): void {
    this.#borrowers.set(name, (this.#borrowers.get(name) ?? 0) + 1);
  }

  #rows(): { record: string; doomed: number }[] {
    const { sql } = this.#dependencies.database;
    return sql.query<{ record: string; doomed: number }, []>('SELECT record, doomed FROM volumes').all();
  }

  #setDoomed(name: string, doomed: boolean): void {
    const { sql } = this.#dependencies.database;
    sql.query('UPDATE volumes SET doomed = ? WHERE name = ?').run(doomed ? 1 : 0, name);
  }

  /** The caller holds the mutex of its name. Error: the disk's; the volume stays then. */
  async #bury(volume: StoredVolume): Promise<void> {
    const { name } = volume;
    this.#volumes.delete(name);
    try {
      await failpoint('volume.after-condemn');
      await this.#erase(volume);
    } catch (error) {
      this.#volumes.set(name, volume);
      this.#setDoomed(name, this.#lent.has(name));
      throw error;
    }
    this.#lent.delete(name);
    this.#dependencies.events.publish('volume', 'destroy', name, { driver: volume.driver });
  }

  /** Out of sight at once, then the row, then the bytes: what a crash leaves of these below `tmp` goes with the next start. */
  async #erase(volume: StoredVolume): Promise<void> {
    const { database, paths, helper } = this.#dependencies;
    // What is behind a device is not ours to delete.
    await this.mounts.settle(volume);
    const directory = dirname(volume.mountpoint);
    const grave = join(paths.temporary, `removed-volume-${randomBytes(8).toString('hex')}`);
    await renameWhereThere(directory, grave);
    try {
      await failpoint('volume.after-rename');
      database.sql.query('DELETE FROM volumes WHERE name = ?').run(volume.name);
    } catch (error) {
      await renameWhereThere(grave, directory);
      throw error;
    }
    await failpoint('volume.after-delete');
    await helper.remove([grave]);
  }
}

/** Error: `conflict`. */
export function nameTaken(name: string): BerthError {
  return new BerthError('conflict', `create ${name}: a volume of that name exists already`);
}

function anonymousName(): string {
  return randomBytes(32).toString('hex');
}

async function renameWhereThere(from: string, to: string): Promise<void> {
  await rename(from, to).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
}

function checkDriver(name: string, driver: string): void {
  if (driver === '' || driver === localDriver) return;
  throw new BerthError(
    'not-found',
    `create ${name}: error looking up volume plugin ${driver}: plugin "${driver}" not found`,
  );
}

function checkWish(name: string, wish: VolumeWish): void {
  checkDriver(name, wish.driver);
  if (!validName.test(name))
    throw new BerthError(
      'invalid',
      name.length < 2
        ? `create ${name}: volume name is too short, names should be at least two alphanumeric characters`
        : `create ${name}: "${name}" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`,
    );
  checkDriverOptions(name, wish.options ?? {});
}
