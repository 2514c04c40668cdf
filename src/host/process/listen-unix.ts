/**
 * A listening unix socket as a plain descriptor, to be inherited by a child. Whoever connects before the child has started
 * waits in the kernel's queue, so that nobody needs to be told when the child is ready.
 */
import { dlopen, FFIType, ptr } from 'bun:ffi';
import { closeSync, openSync } from 'node:fs';

const AF_UNIX = 1;
const SOCK_STREAM_CLOEXEC = 0x1 | 0o2000000;
const ADDRESS_SIZE = 110;
const BACKLOG = 128;

function load() {
  return dlopen('libc.so.6', {
    socket: { args: [FFIType.i32, FFIType.i32, FFIType.i32], returns: FFIType.i32 },
    bind: { args: [FFIType.i32, FFIType.ptr, FFIType.u32], returns: FFIType.i32 },
    listen: { args: [FFIType.i32, FFIType.i32], returns: FFIType.i32 },
  }).symbols;
}
let library: ReturnType<typeof load> | null = null;

/** A path as the kernel takes it in a socket address: at most 107 bytes, through an open directory where it is longer. */
export interface SocketAddress {
  path: string;
  /** Closes the directory. Call it when the bind or connect is over. */
  release(): void;
}

/** Makes an address for `directory/name`. Throws what `open` throws when it is long and the directory does not exist. */
export function socketAddress(directory: string, name: string): SocketAddress {
  const path = `${directory}/${name}`;
  if (Buffer.byteLength(path) < 107) return { path, release: () => undefined };
  const descriptor = openSync(directory, 'r');
  return { path: `/proc/self/fd/${descriptor}/${name}`, release: () => closeSync(descriptor) };
}

/** Binds `directory/name`, which must not exist, and listens. Gives a close-on-exec descriptor that the caller closes. */
export function listenUnix(directory: string, name: string): number {
  library ??= load();
  const descriptor = library.socket(AF_UNIX, SOCK_STREAM_CLOEXEC, 0);
  if (descriptor < 0) throw new Error('socket() failed');
  const address = socketAddress(directory, name);
  const bytes = Buffer.alloc(ADDRESS_SIZE);
  bytes.writeUInt16LE(AF_UNIX, 0);
  bytes.write(address.path, 2);
  const bound = library.bind(descriptor, ptr(bytes), ADDRESS_SIZE) === 0 && library.listen(descriptor, BACKLOG) === 0;
  address.release();
  if (bound) return descriptor;
  closeSync(descriptor);
  throw new Error(`cannot listen at ${directory}/${name}`);
}
