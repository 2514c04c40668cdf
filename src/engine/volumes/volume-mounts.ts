/** The mount points of volumes while somebody uses them: their directories, and the devices of those that have one. */
import { lookup } from 'node:dns/promises';
import { mkdir, readFile } from 'node:fs/promises';
import { BerthError, errorMessage } from '../../api/errors.ts';
import { KeyedMutex } from '../../base/mutex.ts';
import type { NativeHelper } from '../../store/native-helper.ts';
import { deviceMount, mountFailure, withAddresses } from './mount-options.ts';
import type { StoredVolume } from './types.ts';

/**
 * A device is mounted on the host, as under dockerd, for all containers together: by the first that needs it until the last is
 * gone. It stays where the engine dies; the next one learns from its running containers who holds it.
 */
export class VolumeMounts {
  readonly #helper: NativeHelper;
  readonly #holders = new Map<string, Set<string>>();
  readonly #mutex = new KeyedMutex();

  constructor(helper: NativeHelper) {
    this.#helper = helper;
  }

  /**
   * Makes what `holder` sees of the volume, until it lets go. Error: `internal` in dockerd's words for a device that cannot be mounted.
   */
  async hold(volume: StoredVolume, holder: string): Promise<void> {
    const device = deviceMount(volume.options);
    if (!device) {
      await mkdir(volume.mountpoint, { recursive: true, mode: 0o755 });
      return;
    }
    await this.#mutex.run(volume.name, async () => {
      if (!(await this.#isMounted(volume))) await this.#mount(volume);
      this.resume(volume, holder);
    });
  }

  /** It holds the volume already: a container of an engine that died. */
  resume(volume: StoredVolume, holder: string): void {
    if (!deviceMount(volume.options)) return;
    const holders = this.#holders.get(volume.name) ?? new Set();
    this.#holders.set(volume.name, holders.add(holder));
  }

  /** The other end of `hold`; nothing held is fine. Error: `internal`. */
  letGo(volume: StoredVolume, holder: string): Promise<void> {
    if (!this.#holders.get(volume.name)?.has(holder)) return Promise.resolve();
    return this.#mutex.run(volume.name, async () => {
      this.#holders.get(volume.name)?.delete(holder);
      await this.#unmountWhereFree(volume);
    });
  }

  /** Names of the volumes that `holder` holds. */
  heldBy(holder: string): string[] {
    return [...this.#holders].filter(([, holders]) => holders.has(holder)).map(([name]) => name);
  }

  /** True while a device is mounted for somebody. */
  isHeld(name: string): boolean {
    return (this.#holders.get(name)?.size ?? 0) > 0;
  }

  /** Takes away a device that nobody holds, so that work on the volume's directory cannot reach it. Error: `internal`. */
  settle(volume: StoredVolume): Promise<void> {
    if (!deviceMount(volume.options)) return Promise.resolve();
    return this.#mutex.run(volume.name, () => this.#unmountWhereFree(volume));
  }

  async #unmountWhereFree(volume: StoredVolume): Promise<void> {
    if (this.isHeld(volume.name)) return;
    this.#holders.delete(volume.name);
    await this.#helper.unmount(volume.mountpoint);
  }

  async #mount(volume: StoredVolume): Promise<void> {
    await mkdir(volume.mountpoint, { recursive: true, mode: 0o755 });
    const device = deviceMount(volume.options);
    if (!device) return;
    const resolved = await withAddresses(device, async (host) => (await lookup(host)).address).catch((cause) => {
      const message = `error while mounting volume '${volume.mountpoint}': ${errorMessage(cause)}`;
      throw new BerthError('internal', message, { cause });
    });
    await this.#helper.mount(resolved, volume.mountpoint).catch((error: unknown) => {
      throw mountFailure(resolved, volume.mountpoint, errorMessage(error));
    });
  }

  async #isMounted(volume: StoredVolume): Promise<boolean> {
    if (this.isHeld(volume.name)) return true;
    const table = await readFile('/proc/self/mountinfo', 'utf8');
    return table.split('\n').some((line) => line.split(' ')[4] === escaped(volume.mountpoint));
  }
}

/** A path as the kernel writes it into a table. */
function escaped(path: string): string {
  return path.replace(/[ \t\n\\]/g, (byte) => `\\${byte.charCodeAt(0).toString(8).padStart(3, '0')}`);
}
