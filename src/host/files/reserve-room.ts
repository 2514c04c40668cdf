import { dlopen, FFIType } from 'bun:ffi';

const { symbols: libc } = dlopen('libc.so.6', {
  fallocate: { args: [FFIType.i32, FFIType.i32, FFIType.i64, FFIType.i64], returns: FFIType.i32 },
});

/**
 * Makes a file at least so long, with its place on the disk (fallocate(2)): writing there finds room however full the disk becomes, and
 * changes nothing that the file system's journal has to know at once. Nothing that is in the file is touched. False: the file system
 * cannot, or is full already.
 */
export function reserveRoom(descriptor: number, bytes: number): boolean {
  return libc.fallocate(descriptor, 0, 0, bytes) === 0;
}
