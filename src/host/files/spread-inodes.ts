import { dlopen, FFIType } from 'bun:ffi';
import { closeSync, openSync } from 'node:fs';

const { symbols: libc } = dlopen('libc.so.6', {
  ioctl: { args: [FFIType.i32, FFIType.u64, FFIType.ptr], returns: FFIType.i32 },
});

const getFlags = 0x80086601;
const setFlags = 0x40086602;
/** FS_TOPDIR_FL of linux/fs.h, `T` of chattr(1). */
const topDirectory = 0x00020000;

/**
 * Tells ext4 that the trees in a directory have nothing to do with each other: each begins in a part of the disk of its own. Otherwise all are
 * made in the same few groups of inodes, and as ext4 takes no inode again within minutes of its removal, every file that is made there walks
 * past all that were removed lately: 20,000 files took 12 s instead of 1.5 where as many had just gone. Other file systems take no notice.
 */
export function spreadInodes(directory: string): void {
  const descriptor = openSync(directory, 'r');
  try {
    const flags = new Uint32Array(2); // a long for the kernel's type, an int for its word
    if (libc.ioctl(descriptor, getFlags, flags) !== 0 || ((flags[0] as number) & topDirectory) !== 0) return;
    flags[0] = (flags[0] as number) | topDirectory;
    libc.ioctl(descriptor, setFlags, flags);
  } finally {
    closeSync(descriptor);
  }
}
