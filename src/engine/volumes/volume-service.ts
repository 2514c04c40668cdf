import { randomBytes } from 'node:crypto';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { BerthError } from '../../api/errors.ts';
import type { Volume, VolumeCreateRequest, VolumeListResponse, VolumesPruneReport } from '../../api/types/volume.ts';
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

  constructor(dependencies: VolumeDependencies) {
    this.#dependencies = dependencies;
    const rows = dependencies.database.sql.query<{ record: string }, []>('SELECT record FROM volumes').all();
    for (const row of rows) {
      const volume = JSON.parse(row.record) as StoredVolume;
      this.#volumes.set(volume.name, volume);
    }
  }

  async ensure(wish: VolumeWish): Promise<{ volume: StoredVolume; created: boolean }> {
    const anonymous = wish.name === '';
    const name = anonymous ? randomBytes(32).toString('hex') : wish.name;
    const existing = this.#volumes.get(name);
    if (existing) return { volume: existing, created: false };
    checkWish(name, wish);
    const { database, paths, events } = this.#dependencies;
    const mountpoint = paths.volume(name);
    await mkdir(mountpoint, { recursive: true, mode: 0o755 });
    const again = this.#volumes.get(name);
    if (again) return { volume: again, created: false };
    const volume: StoredVolume = {
      name,
      driver: localDriver,
      mountpoint,
      created: `${new Date().toISOString().slice(0, 19)}Z`,
      labels: anonymous ? { ...wish.labels, [anonymousLabel]: '' } : wish.labels,
      options: wish.options,
    };
    database.sql.query('INSERT INTO volumes VALUES (?, ?, ?)').run(name, volume.created, JSON.stringify(volume));
    this.#volumes.set(name, volume);
    events.publish('volume', 'create', name, { driver: localDriver });
    return { volume, created: true };
  }

  async directory(name: string): Promise<string | null> {
    const volume = this.#volumes.get(name);
    if (!volume) return null;
    await mkdir(volume.mountpoint, { recursive: true, mode: 0o755 });
    return volume.mountpoint;
  }

  async discard(name: string): Promise<void> {
    const volume = this.#volumes.get(name);
    if (!volume || this.#dependencies.users.containersWith(name).length > 0) return;
    await this.#delete(volume);
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
    const { volume, created } = await this.ensure({
      name: request.Name,
      driver: request.Driver,
      options: request.DriverOpts,
      labels: request.Labels,
    });
    if (created) await this.#dependencies.database.durable();
    return shown(volume);
  }

  /** Errors: `not-found`, `conflict` while a container uses it. */
  async remove(name: string, force: boolean): Promise<void> {
    const volume = this.#volumes.get(name);
    if (!volume) {
      if (force) return;
      throw new BerthError('not-found', `get ${name}: no such volume`);
    }
    const users = this.#dependencies.users.containersWith(name);
    if (users.length > 0) throw new BerthError('conflict', `remove ${name}: volume is in use - [${users.join(', ')}]`);
    await this.#delete(volume);
  }

  /** Unused anonymous volumes; with the filter `all`, named ones too. */
  async prune(filters: Filters): Promise<VolumesPruneReport> {
    const all = filterBoolean(filters, 'all', false);
    const deleted: string[] = [];
    let reclaimed = 0;
    for (const volume of [...this.#volumes.values()]) {
      const anonymous = volume.labels !== null && anonymousLabel in volume.labels;
      if ((!all && !anonymous) || !matchesLabels(filters, volume.labels)) continue;
      if (this.#dependencies.users.containersWith(volume.name).length > 0) continue;
      reclaimed += await sizeBelow(volume.mountpoint);
      await this.#delete(volume);
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

  async #delete(volume: StoredVolume): Promise<void> {
    const { database, paths, events } = this.#dependencies;
    database.sql.query('DELETE FROM volumes WHERE name = ?').run(volume.name);
    this.#volumes.delete(volume.name);
    const grave = join(paths.temporary, `removed-volume-${randomBytes(8).toString('hex')}`);
    await rename(dirname(volume.mountpoint), grave).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
    events.publish('volume', 'destroy', volume.name, { driver: volume.driver });
    await rm(grave, { recursive: true, force: true });
  }
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
