import { dlopen, FFIType, ptr } from 'bun:ffi';

const { symbols } = dlopen('libc.so.6', {
  lgetxattr: { args: [FFIType.ptr, FFIType.ptr, FFIType.ptr, FFIType.u64], returns: FFIType.i64 },
});

const attribute = Buffer.from('trusted.overlay.opaque\0');

/** Whether overlay hides everything below this directory of a layer. Microseconds: the inode was just looked at. */
export function isOpaque(directory: string | Buffer): boolean {
  const path = Buffer.concat([Buffer.from(directory), Buffer.alloc(1)]);
  const value = Buffer.alloc(1);
  const length = symbols.lgetxattr(ptr(path), ptr(attribute), ptr(value), value.length);
  return Number(length) === 1 && value.toString() === 'y';
}
