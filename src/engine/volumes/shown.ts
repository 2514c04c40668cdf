import type { Volume } from '../../api/types/volume.ts';
import type { StoredVolume } from './types.ts';

/** A volume as clients see it. */
export function shown(volume: StoredVolume): Volume {
  return {
    CreatedAt: volume.created,
    Driver: volume.driver,
    Labels: volume.labels,
    Mountpoint: volume.mountpoint,
    Name: volume.name,
    Options: volume.options,
    Scope: 'local',
  };
}
