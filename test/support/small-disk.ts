/** A file system of its own in a file: it can be full, and its power can be cut. */

import { dlopen, FFIType } from 'bun:ffi';
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, statfsSync, truncateSync, writeFileSync } from 'node:fs';
import { runOk } from './command.ts';

const { symbols: libc } = dlopen('libc.so.6', {
  ioctl: { args: [FFIType.i32, FFIType.u64, FFIType.ptr], returns: FFIType.i32 },
});

/** EXT4_IOC_SHUTDOWN: from now on nothing reaches the disk, not even what the journal holds. */
const shutdownRequest = 0x8004587d;
const withoutJournal = 2;

export class SmallDisk {
  readonly path: string;
  readonly #base: string;

  private constructor(base: string) {
    this.#base = base;
    this.path = `${base}/mount`;
  }

  static async make(options: { bytes: number; inodes?: number }): Promise<SmallDisk> {
    const disk = new SmallDisk(mkdtempSync('/var/tmp/berth-test-disk-'));
    mkdirSync(disk.path);
    writeFileSync(disk.#file, '');
    truncateSync(disk.#file, options.bytes);
    const inodes = options.inodes === undefined ? [] : ['-N', String(options.inodes)];
    await runOk(['mkfs.ext4', '-q', '-m', '0', ...inodes, disk.#file]);
    await disk.mount();
    return disk;
  }

  get #file(): string {
    return `${this.#base}/disk`;
  }

  get free(): number {
    const { bavail, bsize } = statfsSync(this.path);
    return bavail * bsize;
  }

  mount(): Promise<string> {
    return runOk(['mount', '-o', 'loop', this.#file, this.path]);
  }

  /** What was not synced is lost; then nothing works until the disk is mounted again. */
  cutPower(): void {
    const directory = openSync(this.path, 'r');
    const result = libc.ioctl(directory, shutdownRequest, new Uint32Array([withoutJournal]));
    closeSync(directory);
    if (result !== 0) throw new Error('the file system cannot be shut down');
  }

  unmount(): Promise<string> {
    return runOk(['umount', this.path]);
  }

  async remove(): Promise<void> {
    await this.unmount();
    rmSync(this.#base, { recursive: true, force: true });
  }
}
