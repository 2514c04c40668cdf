import { dlopen, FFIType, ptr } from 'bun:ffi';

const { symbols } = dlopen('libc.so.6', {
  lgetxattr: { args: [FFIType.ptr, FFIType.ptr, FFIType.ptr, FFIType.u64], returns: FFIType.i64 },
});

const opaque = Buffer.from('trusted.overlay.opaque\0');
const capability = Buffer.from('security.capability\0');
/** The kernel's longest form has 24 bytes. */
const longestCapability = 64;

/** Whether overlay hides everything below this directory of a layer. Microseconds: the inode was just looked at. */
export function isOpaque(directory: string | Buffer): boolean {
  return attributeOf(directory, opaque, 1)?.toString() === 'y';
}

/** The capabilities of a program (capabilities(7)) as the kernel keeps them; null: it has none. */
export function fileCapability(file: string | Buffer): Buffer | null {
  return attributeOf(file, capability, longestCapability);
}

function attributeOf(place: string | Buffer, name: Buffer, longest: number): Buffer | null {
  const path = Buffer.concat([Buffer.from(place), Buffer.alloc(1)]);
  const value = Buffer.alloc(longest);
  const length = Number(symbols.lgetxattr(ptr(path), ptr(name), ptr(value), value.length));
  return length > 0 ? value.subarray(0, length) : null;
}
