/** Volumes: wire types of Docker's API 1.52, with Docker's own keys. */

/** Body of `POST /volumes/create`. */
export interface VolumeCreateRequest {
  /** Empty: a name of 64 hex digits is made, and the volume counts as anonymous. */
  Name: string;
  /** Empty: `local`. */
  Driver: string;
  DriverOpts: Record<string, string> | null;
  Labels: Record<string, string> | null;
}

export interface Volume {
  /** RFC 3339, whole seconds. */
  CreatedAt?: string;
  Driver: string;
  /** Null: none were given. */
  Labels: Record<string, string> | null;
  /** Absolute path on the host. */
  Mountpoint: string;
  Name: string;
  Options: Record<string, string> | null;
  Scope: string;
  Status?: Record<string, unknown>;
  /** Only in `GET /system/df`. */
  UsageData?: VolumeUsage;
}

export interface VolumeUsage {
  /** Containers that mount it; −1: unknown. */
  RefCount: number;
  /** Bytes; −1: unknown. */
  Size: number;
}

/** What one volume takes: an element of `GET /berth/v1/volumes/sizes`. */
export interface VolumeSize {
  Name: string;
  /** Bytes of the regular files, one with several names counted once. */
  Size: number;
  /** Bytes on the disk. */
  DiskSize: number;
  /** Files, directories and the rest. */
  Entries: number;
  /** Containers that mount it. */
  RefCount: number;
}

export interface VolumeListResponse {
  Volumes: Volume[];
  /** Null: none. */
  Warnings: string[] | null;
}

export interface VolumesPruneReport {
  /** Null: nothing was removed. */
  VolumesDeleted: string[] | null;
  /** Bytes. */
  SpaceReclaimed: number;
}
