/** What containers ask of volumes. */

/** A volume of the local driver. */
export interface StoredVolume {
  name: string;
  driver: string;
  /** Directory on the host that containers see. */
  mountpoint: string;
  /** RFC 3339. */
  created: string;
  labels: Record<string, string> | null;
  options: Record<string, string> | null;
}

export interface VolumeWish {
  /** Empty: an anonymous volume with a random name. */
  name: string;
  /** Empty: `local`. */
  driver: string;
  options: Record<string, string> | null;
  labels: Record<string, string> | null;
}

export interface ContainerVolumes {
  /** The volume of that name, or a new one. Errors: `invalid` for a name that is none, `not-found` for an unknown driver. */
  ensure(wish: VolumeWish): Promise<{ volume: StoredVolume; created: boolean }>;
  /** The volume's directory, made again where somebody took it away. Null: no such volume. */
  directory(name: string): Promise<string | null>;
  /** Forgets an unused volume and its contents. A missing one is fine. */
  discard(name: string): Promise<void>;
}

/** What volumes ask of containers. */
export interface VolumeUsers {
  /** Ids of the containers, running or not, that mount the volume. */
  containersWith(volume: string): string[];
}
