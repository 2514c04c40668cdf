import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Lease } from './types.ts';

/** The leases of this engine's life. What only a lease keeps is gone after a crash, as its directory is. */
export class Leases {
  readonly #directory: string;
  readonly #onRelease: (directory: string) => Promise<void>;
  readonly #held = new Map<string, Set<string>>();

  /**
   * @param directory where each lease gets a directory of its own
   * @param onRelease removes the directory of a released lease
   */
  constructor(directory: string, onRelease: (directory: string) => Promise<void>) {
    this.#directory = directory;
    this.#onRelease = onRelease;
  }

  /** @param purpose a word for people who look into `tmp/` */
  async acquire(purpose: string): Promise<Lease> {
    const id = `${purpose.replace(/[^a-z-]/g, '')}-${randomBytes(8).toString('hex')}`;
    const directory = join(this.#directory, id);
    await mkdir(directory, { mode: 0o700 });
    const digests = new Set<string>();
    this.#held.set(id, digests);
    return {
      id,
      directory,
      hold: (...more) => {
        for (const digest of more) digests.add(digest);
      },
      release: async () => {
        if (!this.#held.delete(id)) return;
        await this.#onRelease(directory);
      },
    };
  }

  isHeld(digest: string): boolean {
    for (const digests of this.#held.values()) if (digests.has(digest)) return true;
    return false;
  }
}
