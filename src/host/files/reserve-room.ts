import { dlopen, FFIType } from 'bun:ffi';

const { symbols: libc } = dlopen('libc.so.6', {
  fallocate: { args: [FFIType.i32, FFIType.i32, FFIType.i64, FFIType.i64], returns: FFIType.i32 },
});

/** FALLOC_FL_KEEP_SIZE of fallocate(2): the blocks are there, the file ends where it ended. */
const keepSize = 1;

/**
 * Gives the first `bytes` of a file their place on the disk, so that writing there finds room however full the disk becomes. Blocks
 * for a journal entry at most. False: the file system cannot, or is full already.
 */
export function reserveRoom(descriptor: number, bytes: number): boolean {
  return libc.fallocate(descriptor, keepSize, 0, bytes) === 0;
}
