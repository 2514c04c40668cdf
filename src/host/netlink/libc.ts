/** The few calls of libc that netlink and port checks need. None of them sleeps for longer than the kernel's own locks. */
import { dlopen, FFIType, ptr, read } from 'bun:ffi';

const { symbols } = dlopen('libc.so.6', {
  socket: { args: [FFIType.i32, FFIType.i32, FFIType.i32], returns: FFIType.i32 },
  bind: { args: [FFIType.i32, FFIType.ptr, FFIType.u32], returns: FFIType.i32 },
  listen: { args: [FFIType.i32, FFIType.i32], returns: FFIType.i32 },
  setsockopt: { args: [FFIType.i32, FFIType.i32, FFIType.i32, FFIType.ptr, FFIType.u32], returns: FFIType.i32 },
  sendto: {
    args: [FFIType.i32, FFIType.ptr, FFIType.u64, FFIType.i32, FFIType.ptr, FFIType.u32],
    returns: FFIType.i64,
  },
  recv: { args: [FFIType.i32, FFIType.ptr, FFIType.u64, FFIType.i32], returns: FFIType.i64 },
  close: { args: [FFIType.i32], returns: FFIType.i32 },
  setns: { args: [FFIType.i32, FFIType.i32], returns: FFIType.i32 },
  __errno_location: { args: [], returns: FFIType.ptr },
  strerror: { args: [FFIType.i32], returns: FFIType.cstring },
});

/** CLONE_NEWNET of sched.h. */
const networkNamespace = 0x40000000;

/** Error numbers that callers tell apart (asm-generic/errno.h). */
export const errnoCode = {
  ENOENT: 2,
  EINTR: 4,
  EAGAIN: 11,
  EEXIST: 17,
  ENODEV: 19,
  EINVAL: 22,
  ERANGE: 34,
  EOPNOTSUPP: 95,
  EAFNOSUPPORT: 97,
  EADDRINUSE: 98,
  EADDRNOTAVAIL: 99,
  ENOBUFS: 105,
} as const;

/** A failed call; `errno` is the positive error number. */
export class SystemError extends Error {
  readonly errno: number;

  constructor(what: string, errno: number) {
    super(`${what}: ${errorText(errno)}`);
    this.errno = errno;
  }
}

/** libc's text of an error number, in Go's spelling (lower case), which is what Docker's messages carry. */
export function errorText(errno: number): string {
  const text = String(symbols.strerror(errno));
  return text.charAt(0).toLowerCase() + text.slice(1);
}

export function lastErrno(): number {
  const place = symbols.__errno_location();
  return place === null ? 0 : read.i32(place, 0);
}

export function socket(family: number, type: number, protocol: number): number {
  return symbols.socket(family, type, protocol);
}

export function bind(fd: number, address: Uint8Array): number {
  return symbols.bind(fd, ptr(address), address.length);
}

export function listen(fd: number, backlog: number): number {
  return symbols.listen(fd, backlog);
}

export function setSocketOption(fd: number, level: number, option: number, value: number): number {
  const buffer = new Int32Array([value]);
  return symbols.setsockopt(fd, level, option, ptr(buffer), 4);
}

export function send(fd: number, data: Uint8Array, address: Uint8Array): number {
  return Number(symbols.sendto(fd, ptr(data), data.length, 0, ptr(address), address.length));
}

export function receive(fd: number, buffer: Uint8Array, flags: number): number {
  return Number(symbols.recv(fd, ptr(buffer), buffer.length, flags));
}

/** Puts the calling thread into a network namespace. @param fd an open `/proc/PID/ns/net` */
export function enterNetwork(fd: number): number {
  return symbols.setns(fd, networkNamespace);
}

export function close(fd: number): void {
  symbols.close(fd);
}
