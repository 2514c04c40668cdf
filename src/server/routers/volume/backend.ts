/** What the volume routes need of the engine. */
import type { Volume, VolumeCreateRequest, VolumeListResponse, VolumesPruneReport } from '../../../api/types/volume.ts';
import type { Filters } from '../../../wire/filters.ts';

export interface VolumeBackend {
  /** Keys of `filters` are already checked. */
  list(filters: Filters): VolumeListResponse | Promise<VolumeListResponse>;
  /** Error: `not-found` `get x: no such volume`. */
  inspect(name: string): Volume | Promise<Volume>;
  /** A volume that is already there (same name and driver) is given back. */
  create(request: VolumeCreateRequest): Promise<Volume>;
  /** Error: `conflict` `remove x: volume is in use - [<container id>]`. `force`: a missing one is fine. */
  remove(name: string, force: boolean): Promise<void>;
  /** Only anonymous ones unless the filter `all` is true. */
  prune(filters: Filters): Promise<VolumesPruneReport>;
}
