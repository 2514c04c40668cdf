import { BerthError } from '../../api/errors.ts';
import type { HostConfig } from '../../api/types/container.ts';
import type { ContainerVolumes, StoredVolume, VolumeUsers } from '../volumes/types.ts';
import type { Container } from './container.ts';
import type { ContainerContext, ContainerDependencies, LifeObserver } from './context.ts';
import type { ContainerRecord } from './record.ts';

/** What volumes ask of containers. @param context called when they ask, because each of the two is made before the other */
export function volumeUsers(context: () => ContainerContext): VolumeUsers {
  const using = (volume: string): Container[] =>
    [...context().index.all()].filter(({ record }) =>
      record.mounts.some((mount) => mount.type === 'volume' && mount.name === volume),
    );
  return {
    containersWith: (volume) => using(volume).map(({ id }) => id),
    whileStopped(volume, work) {
      const { mutex } = context();
      const users = using(volume).sort((a, b) => (a.id < b.id ? -1 : 1));
      const locked = (index: number): ReturnType<typeof work> => {
        const user = users[index];
        if (user) return mutex.run(user.id, () => locked(index + 1));
        const running = users.filter(({ pid }) => pid !== 0).map(({ id }) => id);
        if (running.length === 0) return work();
        throw new BerthError('conflict', `volume ${volume} is in use by a running container - [${running.join(', ')}]`);
      };
      return locked(0);
    },
    renameVolume(old, volume) {
      const changes = using(old).map((container) => ({ container, record: withVolume(container.record, old, volume) }));
      for (const { record } of changes) context().index.write(record);
      return () => {
        for (const { container, record } of changes) {
          container.record.mounts = record.mounts;
          container.record.hostConfig = record.hostConfig;
        }
      };
    },
  };
}

/** A container's record, its requests as clients see them included. A volume with a name is not anonymous. */
function withVolume(record: ContainerRecord, old: string, volume: StoredVolume): ContainerRecord {
  const mounts = record.mounts.map((mount) =>
    mount.type === 'volume' && mount.name === old
      ? { ...mount, name: volume.name, source: volume.mountpoint, anonymous: false }
      : mount,
  );
  return { ...record, mounts, hostConfig: withSource(record.hostConfig, old, volume.name) };
}

function withSource(host: HostConfig, old: string, name: string): HostConfig {
  const changed = { ...host };
  if (host.Binds)
    changed.Binds = host.Binds.map((bind) => (bind.startsWith(`${old}:`) ? name + bind.slice(old.length) : bind));
  if (host.Mounts)
    changed.Mounts = host.Mounts.map((mount) =>
      mount.Type === 'volume' && mount.Source === old ? { ...mount, Source: name } : mount,
    );
  return changed;
}

/** Running containers hold their volumes; those that end let go of them. */
export function volumeHolders(volumes: ContainerVolumes, report: ContainerDependencies['report']): LifeObserver {
  return {
    watched({ id, record }) {
      const names = record.mounts.filter(({ type }) => type === 'volume').map(({ name }) => name);
      volumes.resume(names, id);
    },
    ended({ id }) {
      volumes.letGo(id).catch((error: unknown) => report(`volumes of ${id}`, error));
    },
  };
}
