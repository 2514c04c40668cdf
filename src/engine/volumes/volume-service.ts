import { randomBytes } from 'node:crypto';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { BerthError } from '../../api/errors.ts';
import type { Volume, VolumeCreateRequest, VolumeListResponse, VolumesPruneReport } from '../../api/types/volume.ts';
import { failpoint } from '../../base/failpoint.ts';
import { KeyedMutex } from '../../base/mutex.ts';
import { sizeBelow } from '../../host/files/size-below.ts';
import type { BerthDatabase } from '../../store/db/database.ts';
import type { Paths } from '../../store/paths.ts';
import { type Filters, filterBoolean, matchesExactly, matchesLabels, matchesPattern } from '../../wire/filters.ts';
import type { EventBus } from '../events/event-bus.ts';
import type { ContainerVolumes, StoredVolume, VolumeUsers, VolumeWish } from './types.ts';

export interface VolumeDependencies {
  database: BerthDatabase;
  paths: Paths;
  events: EventBus;
  users: VolumeUsers;
}

/** Marks volumes that nobody named; clients look for it. */
const anonymousLabel = 'com.docker.volume.anonymous';
const validName = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;
const localDriver = 'local';

/** Volumes of the local driver: directories below the data root that outlive their containers. */
export class VolumeService implements ContainerVolumes {
  readonly #dependencies: VolumeDependencies;
  readonly #volumes = new Map<string, StoredVolume>();
  /** Volumes that go unless a container claims them, and how many creates of containers hold each volume. */
  readonly #lent = new Set<string>();
  readonly #borrowers = new Map<string, number>();
  readonly #mutex = new KeyedMutex();

  constructor(dependencies: VolumeDependencies) {
    this.#dependencies = dependencies;
    for (const { record, doomed } of this.#rows()) {
      const volume = JSON.parse(record) as StoredVolume;
      if (doomed === 0) this.#volumes.set(volume.name, volume);
    }
  }

  /** Removes what an engine that died had lent or condemned. Call once, before the service is used. */
  async recover(): Promise<void> {
    for (const { record, doomed } of this.#rows()) {
      if (doomed !== 0) await this.#erase(JSON.parse(record) as StoredVolume);
    }
  }

  borrow(wish: VolumeWish): Promise<StoredVolume> {
    const name = wish.name === '' ? randomBytes(32).toString('hex') : wish.name;
    return this.#mutex.run(name, async () => {
      const volume = this.#volumes.get(name) ?? (await this.#make(name, wish, { lent: true }));
      this.#borrowers.set(name, (this.#borrowers.get(name) ?? 0) + 1);
      return volume;
    });
  }

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

  claim(names: readonly string[]): void {
    for (const name of names) if (this.#lent.has(name)) this.#setDoomed(name, false);
  }

  condemn(names: readonly string[]): void {
    for (const name of names) this.#setDoomed(name, true);
  }

  bury(name: string): Promise<void> {
    return this.#mutex.run(name, async () => {
      const volume = this.#volumes.get(name);
      if (volume) await this.#bury(volume);
    });
  }

  async directory(name: string): Promise<string | null> {
    const volume = this.#volumes.get(name);
    if (!volume) return null;
    await mkdir(volume.mountpoint, { recursive: true, mode: 0o755 });
    return volume.mountpoint;
  }

  /** Error: `not-found`. */
  inspect(name: string): Volume {
    const volume = this.#volumes.get(name);
    if (!volume) throw new BerthError('not-found', `get ${name}: no such volume`);
    return shown(volume);
  }

  list(filters: Filters): VolumeListResponse {
    return { Volumes: this.#select(filters).map(shown), Warnings: null };
  }

  /** All volumes with what they take on disk, for `GET /system/df`. */
  async usage(): Promise<Volume[]> {
    const volumes: Volume[] = [];
    for (const volume of this.#volumes.values()) {
      const RefCount = this.#dependencies.users.containersWith(volume.name).length;
      volumes.push({ ...shown(volume), UsageData: { RefCount, Size: await sizeBelow(volume.mountpoint) } });
    }
    return volumes;
  }

  /** A volume of that name is given back. Errors: `invalid`, `not-found` for a driver. */
  async create(request: VolumeCreateRequest): Promise<Volume> {
    const anonymous = request.Name === '';
    const name = anonymous ? randomBytes(32).toString('hex') : request.Name;
    const wish = {
      name: request.Name,
      driver: request.Driver,
      options: request.DriverOpts,
      labels: request.Labels,
    };
    const volume = await this.#mutex.run(name, () => {
      const existing = this.#volumes.get(name);
      if (!existing) return this.#make(name, wish, { lent: false });
      this.claim([name]);
      this.#lent.delete(name);
      return existing;
    });
    await this.#dependencies.database.durable();
    return shown(volume);
  }

  /** Errors: `not-found`, `conflict` while a container uses it. */
  remove(name: string, force: boolean): Promise<void> {
    return this.#mutex.run(name, async () => {
      const volume = this.#volumes.get(name);
      if (!volume) {
        if (force) return;
        throw new BerthError('not-found', `get ${name}: no such volume`);
      }
      const users = this.#dependencies.users.containersWith(name);
      if (this.#isUsed(name))
        throw new BerthError('conflict', `remove ${name}: volume is in use - [${users.join(', ')}]`);
      this.condemn([name]);
      await this.#bury(volume);
    });
  }

  /** Unused anonymous volumes; with the filter `all`, named ones too. */
  async prune(filters: Filters): Promise<VolumesPruneReport> {
    const all = filterBoolean(filters, 'all', false);
    const deleted: string[] = [];
    let reclaimed = 0;
    for (const volume of [...this.#volumes.values()]) {
      const anonymous = volume.labels !== null && anonymousLabel in volume.labels;
      if ((!all && !anonymous) || !matchesLabels(filters, volume.labels)) continue;
      const size = await sizeBelow(volume.mountpoint);
      const isGone = await this.#mutex.run(volume.name, async () => {
        if (this.#isUsed(volume.name) || this.#volumes.get(volume.name) !== volume) return false;
        this.condemn([volume.name]);
        await this.#bury(volume);
        return true;
      });
      if (!isGone) continue;
      reclaimed += size;
      deleted.push(volume.name);
    }
    this.#dependencies.events.publish('volume', 'prune', '', { reclaimed: String(reclaimed) });
    return { VolumesDeleted: deleted.length > 0 ? deleted : null, SpaceReclaimed: reclaimed };
  }

  #select(filters: Filters): StoredVolume[] {
    const dangling = filters.has('dangling') ? filterBoolean(filters, 'dangling', false) : null;
    return [...this.#volumes.values()]
      .filter(
        (volume) =>
          matchesPattern(filters, 'name', volume.name) &&
          matchesExactly(filters, 'driver', volume.driver) &&
          matchesLabels(filters, volume.labels) &&
          (dangling === null || (this.#dependencies.users.containersWith(volume.name).length === 0) === dangling),
      )
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  #isUsed(name: string): boolean {
    return this.#borrowers.has(name) || this.#dependencies.users.containersWith(name).length > 0;
  }

  #rows(): { record: string; doomed: number }[] {
    const { sql } = this.#dependencies.database;
    return sql.query<{ record: string; doomed: number }, []>('SELECT record, doomed FROM volumes').all();
  }

  #setDoomed(name: string, doomed: boolean): void {
    const { sql } = this.#dependencies.database;
    sql.query('UPDATE volumes SET doomed = ? WHERE name = ?').run(doomed ? 1 : 0, name);
  }

  /** A new volume; the caller holds the mutex of its name. */
  async #make(name: string, wish: VolumeWish, { lent }: { lent: boolean }): Promise<StoredVolume> {
    checkWish(name, wish);
    const { database, paths, events } = this.#dependencies;
    const mountpoint = paths.volume(name);
    const volume: StoredVolume = {
      name,
      driver: localDriver,
      mountpoint,
      created: `${new Date().toISOString().slice(0, 19)}Z`,
      labels: wish.name === '' ? { ...wish.labels, [anonymousLabel]: '' } : wish.labels,
      options: wish.options,
    };
    // The row first, lent: a directory without a row would be taken for nobody's, one with a row is found after a crash.
    const row = database.sql.query('INSERT INTO volumes (name, created, record, doomed) VALUES (?, ?, ?, 1)');
    row.run(name, volume.created, JSON.stringify(volume));
    try {
      await failpoint('volume.after-insert');
      await mkdir(mountpoint, { recursive: true, mode: 0o755 });
      await failpoint('volume.after-directory');
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
  async #erase({ name, mountpoint }: StoredVolume): Promise<void> {
    const { database, paths } = this.#dependencies;
    const directory = dirname(mountpoint);
    const grave = join(paths.temporary, `removed-volume-${randomBytes(8).toString('hex')}`);
    await renameWhereThere(directory, grave);
    try {
      await failpoint('volume.after-rename');
      database.sql.query('DELETE FROM volumes WHERE name = ?').run(name);
    } catch (error) {
      await renameWhereThere(grave, directory);
      throw error;
    }
    await failpoint('volume.after-delete');
    await rm(grave, { recursive: true, force: true });
  }
}

async function renameWhereThere(from: string, to: string): Promise<void> {
  await rename(from, to).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
}

function checkWish(name: string, wish: VolumeWish): void {
  if (wish.driver !== '' && wish.driver !== localDriver)
    throw new BerthError(
      'not-found',
      `create ${name}: error looking up volume plugin ${wish.driver}: plugin "${wish.driver}" not found`,
    );
  if (!validName.test(name))
    throw new BerthError(
      'invalid',
      name.length < 2
        ? `create ${name}: volume name is too short, names should be at least two alphanumeric characters`
        : `create ${name}: "${name}" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`,
    );
  for (const option of Object.keys(wish.options ?? {})) {
    if (!['type', 'o', 'device', 'size'].includes(option))
      throw new BerthError('invalid', `create ${name}: invalid option: "${option}"`);
    throw new BerthError(
      'not-implemented',
      `create ${name}: option "${option}" of the local driver is not supported by Berth yet`,
    );
  }
}

function shown(volume: StoredVolume): Volume {
  return {
    CreatedAt: volume.created,
    Driver: volume.driver,
    Labels: volume.labels,
    Mountpoint: volume.mountpoint,
    Name: volume.name,
    Options: volume.options,
    Scope: localDriver,
  };
}
