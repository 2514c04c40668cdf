/** What the volume routes need of the engine. */
import type { Readable } from 'node:stream';
import type {
  Volume,
  VolumeCreateRequest,
  VolumeListResponse,
  VolumeSize,
  VolumesPruneReport,
} from '../../../api/types/volume.ts';
import type { Filters } from '../../../wire/filters.ts';

/** Whole volumes; only here. */
export interface VolumeCopiesBackend {
  /** Errors: `not-found`, `invalid`, `conflict` for a name that is taken. */
  clone(name: string, to: string, signal: AbortSignal): Promise<Volume>;
  /** A tar. Error: `not-found`. */
  export(name: string): Promise<Readable>;
  /** Errors: `invalid` for a bad archive or name, `conflict` for a volume that is not empty or in use. */
  import(name: string, archive: Readable): Promise<Volume>;
}

export interface VolumeBackend {
  copies: VolumeCopiesBackend;
  /** All of them where no name is given. Error: `not-found`. */
  sizes(names: readonly string[]): Promise<VolumeSize[]>;
  /** Errors: `not-found`, `invalid`, `conflict`. */
  rename(name: string, to: string): Promise<Volume>;
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
