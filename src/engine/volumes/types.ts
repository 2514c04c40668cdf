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
  /** Only in the middle of a change of name: where the directory still is, perhaps. */
  movedFrom?: string;
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
  /**
   * The volume of that name, or a new one; nobody removes it until `release`. A new one is only lent: unless a container claims it, it
   * goes with the release, and with the next start of the engine where this one does not live to see that.
   * Errors: `invalid` for a name that is none, `not-found` for an unknown driver.
   */
  borrow(wish: VolumeWish): Promise<StoredVolume>;
  /** The other end of each `borrow`. */
  release(name: string): Promise<void>;
  /** Lent volumes stay. Call it inside the transaction that enters their container. */
  claim(names: readonly string[]): void;
  /**
   * Makes what the holder sees of the volume until it lets go: the directory where it is missing, the device where it has one.
   * Null: no such volume. Error: `internal` in dockerd's words for a device that cannot be mounted.
   */
  hold(name: string, holder: string): Promise<string | null>;
  /** The holder held these when the engine before this one died. */
  resume(names: readonly string[], holder: string): void;
  /** The other end of all that it holds. */
  letGo(holder: string): Promise<void>;
  /** From now on the volumes go, whatever happens to the engine. Call it inside the transaction that removes their last container. */
  condemn(names: readonly string[]): void;
  /** Removes a condemned volume with its contents. A missing one is fine. */
  bury(name: string): Promise<void>;
}

/** What volumes ask of containers. */
export interface VolumeUsers {
  /** Ids of the containers, running or not, that mount the volume. */
  containersWith(volume: string): string[];
  /** Runs the work while none of these containers runs or starts. Error: `conflict` where one runs. */
  whileStopped<T>(volume: string, work: () => Promise<T>): Promise<T>;
  /** Writes the volume's new name to their rows, inside the caller's transaction; gives what must be called when that is through. */
  renameVolume(old: string, volume: StoredVolume): () => void;
}
