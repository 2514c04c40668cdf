/** The calls of the kernel that move bytes. They run in threads of their own: on a slow disk they sleep. */
import { dlopen, FFIType, ptr, read } from 'bun:ffi';

const { i32, i64, u32, u64, pointer } = {
  i32: FFIType.i32,
  i64: FFIType.i64,
  u32: FFIType.u32,
  u64: FFIType.u64,
  pointer: FFIType.ptr,
} as const;
const { symbols: libc } = dlopen('libc.so.6', {
  poll: { args: [pointer, u64, i32], returns: i32 },
  recv: { args: [i32, pointer, u64, i32], returns: i64 },
  read: { args: [i32, pointer, u64], returns: i64 },
  write: { args: [i32, pointer, u64], returns: i64 },
  pwrite: { args: [i32, pointer, u64, i64], returns: i64 },
  sendfile: { args: [i32, i32, pointer, u64], returns: i64 },
  setsockopt: { args: [i32, i32, i32, pointer, u32], returns: i32 },
  sync_file_range: { args: [i32, i64, i64, u32], returns: i32 },
  eventfd: { args: [u32, i32], returns: i32 },
  fcntl: { args: [i32, i32, i32], returns: i32 },
  close: { args: [i32], returns: i32 },
  __errno_location: { args: [], returns: pointer },
});

/** asm-generic/errno.h */
export const interrupted = 4;
export const wouldBlock = 11;
/** poll(2) */
export const pollIn = 1;
export const pollOut = 4;
/** fcntl(2), F_DUPFD_CLOEXEC */
const duplicateCloseOnExec = 1030;
/** eventfd(2), EFD_CLOEXEC */
const closeOnExec = 0o2000000;
/** recv(2), MSG_DONTWAIT */
const dontWait = 0x40;
/** sync_file_range(2), SYNC_FILE_RANGE_WRITE */
const beginWriting = 2;

export function lastErrno(): number {
  const place = libc.__errno_location();
  return place === null ? 0 : read.i32(place, 0);
}

/** Pairs of descriptor and events, as `struct pollfd`; the kernel sets the upper half of each second number. */
export function poll(pairs: Int32Array, count: number, milliseconds: number): number {
  return libc.poll(ptr(pairs), count, milliseconds);
}

/** Gives -1 where it failed, as the calls below. */
export function receive(socket: number, buffer: Buffer, most: number): number {
  return Number(libc.recv(socket, ptr(buffer), most, dontWait));
}

export function writeAt(file: number, bytes: Uint8Array, position: number): number {
  return Number(libc.pwrite(file, ptr(bytes), bytes.length, position));
}

const offset = new BigInt64Array(1);

/** Page cache to socket, nothing is copied through the program. The socket must not block. */
export function sendFile(socket: number, file: number, range: { start: number; most: number }): number {
  offset[0] = BigInt(range.start);
  return Number(libc.sendfile(socket, file, ptr(offset), range.most));
}

/** socket(7) */
const socketLevel = 1;
const sendBuffer = 7;
const receiveBuffer = 8;

/** Sets the size of the kernel's two buffers of a connection, which grow no more then. */
export function boundBuffers(socket: number, bytes: number): void {
  for (const option of [sendBuffer, receiveBuffer])
    libc.setsockopt(socket, socketLevel, option, ptr(new Int32Array([bytes])), 4);
}

/** Has the disk begin with a part of the file, so that less is left for the sync at its end. */
export function beginWriteback(file: number, position: number, length: number): void {
  libc.sync_file_range(file, position, length, beginWriting);
}

/** Another descriptor of the same connection: it stays when the first is closed. -1: it failed. */
export function duplicate(descriptor: number): number {
  return libc.fcntl(descriptor, duplicateCloseOnExec, 3);
}

export function close(descriptor: number): void {
  libc.close(descriptor);
}

/** Wakes a thread that polls. */
export class Bell {
  readonly descriptor: number;
  readonly #number = new BigUint64Array([1n]);

  /** @param descriptor of a bell that another thread made */
  constructor(descriptor = libc.eventfd(0, closeOnExec)) {
    this.descriptor = descriptor;
  }

  ring(): void {
    libc.write(this.descriptor, ptr(this.#number), 8);
  }

  /** Sleeps where it was not rung. */
  silence(): void {
    libc.read(this.descriptor, ptr(new Uint8Array(8)), 8);
  }
}
