import { dlopen, FFIType, ptr } from 'bun:ffi';
import { close as closeCallback, fstat as fstatCallback, read as readCallback, type Stats } from 'node:fs';
import { promisify } from 'node:util';

const { symbols } = dlopen('libc.so.6', {
  open: { args: [FFIType.ptr, FFIType.i32], returns: FFIType.i32 },
  syscall: {
    args: [FFIType.i64, FFIType.i32, FFIType.ptr, FFIType.ptr, FFIType.u64],
    returns: FFIType.i64,
  },
});

const openat2 = 437;
const oPath = 0o10000000;
const oDirectory = 0o200000;
const oCloseOnExec = 0o2000000;
const oNonBlock = 0o4000;
/** Every link, also an absolute one, stays below the root (openat2(2)); no way out through /proc. */
const resolveInRoot = 0x10;
const resolveNoMagicLinks = 0x02;

const fstat = promisify(fstatCallback) as (fd: number) => Promise<Stats>;
const read = promisify(readCallback);
const close = promisify(closeCallback);

/**
 * The bytes of a regular file as a process with `root` as its root would see it, or null where there is none. The kernel
 * resolves the path, so a container cannot lead the engine astray by changing links while it looks.
 * @param limit bytes; a longer file counts as missing
 */
export async function readInRoot(root: string, path: string, limit: number): Promise<Buffer | null> {
  const directory = symbols.open(ptr(Buffer.from(`${root}\0`)), oPath | oDirectory | oCloseOnExec);
  if (directory < 0) return null;
  let file: number;
  try {
    const how = new BigUint64Array([BigInt(oCloseOnExec | oNonBlock), 0n, BigInt(resolveInRoot | resolveNoMagicLinks)]);
    file = Number(symbols.syscall(openat2, directory, ptr(Buffer.from(`${path}\0`)), ptr(how), BigInt(how.byteLength)));
  } finally {
    await close(directory);
  }
  if (file < 0) return null;
  try {
    const status = await fstat(file);
    if (!status.isFile() || status.size > limit) return null;
    return await readAll(file, status.size);
  } finally {
    await close(file);
  }
}

async function readAll(file: number, size: number): Promise<Buffer> {
  const buffer = Buffer.alloc(size);
  let filled = 0;
  while (filled < size) {
    const { bytesRead } = (await read(file, buffer, filled, size - filled, filled)) as unknown as { bytesRead: number };
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}
