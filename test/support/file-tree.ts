/** What `node:fs` cannot say about a file: extended attributes. And a list of a tree in which nothing is left out. */

import { dlopen, FFIType } from 'bun:ffi';
import { createHash } from 'node:crypto';
import { closeSync, lstatSync, openSync, readdirSync, readlinkSync, readSync } from 'node:fs';

const { symbols: libc } = dlopen('libc.so.6', {
  lsetxattr: { args: [FFIType.ptr, FFIType.ptr, FFIType.ptr, FFIType.u64, FFIType.i32], returns: FFIType.i32 },
  llistxattr: { args: [FFIType.ptr, FFIType.ptr, FFIType.u64], returns: FFIType.i64 },
  lgetxattr: { args: [FFIType.ptr, FFIType.ptr, FFIType.ptr, FFIType.u64], returns: FFIType.i64 },
  mknod: { args: [FFIType.ptr, FFIType.u32, FFIType.u64], returns: FFIType.i32 },
  utimensat: { args: [FFIType.i32, FFIType.ptr, FFIType.ptr, FFIType.i32], returns: FFIType.i32 },
});

/** A path as bytes: names need not be text. */
export type BytePath = Buffer;

export function bytes(path: string | Buffer): BytePath {
  return typeof path === 'string' ? Buffer.from(path) : path;
}

export function join(directory: BytePath, name: string | Buffer): BytePath {
  return Buffer.concat([directory, Buffer.from('/'), bytes(name)]);
}

function text(value: string | Buffer): Buffer {
  return Buffer.concat([bytes(value), Buffer.alloc(1)]);
}

function check(result: number | bigint, what: string): void {
  if (Number(result) < 0) throw new Error(`${what} failed`);
}

export function setXattr(path: string | Buffer, name: string, value: string | Buffer): void {
  const data = bytes(value);
  // No pointer leads to an empty buffer.
  check(
    libc.lsetxattr(text(path), text(name), data.length > 0 ? data : Buffer.alloc(1), data.length, 0),
    `lsetxattr ${name}`,
  );
}

/** A device (or fifo): `mode` with its S_IF… bits. */
export function makeNode(path: string | Buffer, mode: number, major = 0, minor = 0): void {
  const device = (BigInt(major) << 8n) | BigInt(minor & 0xff) | (BigInt(minor & ~0xff) << 12n);
  check(libc.mknod(text(path), mode, device), 'mknod');
}

/** Sets the time of the path itself, symlinks too. */
export function setTime(path: string | Buffer, seconds: bigint, nanoseconds: bigint): void {
  const times = new BigInt64Array([seconds, nanoseconds, seconds, nanoseconds]);
  check(libc.utimensat(-100, text(path), times, 0x100), 'utimensat');
}

export function xattrs(path: string | Buffer): Record<string, string> {
  const names = Buffer.alloc(65_536);
  const length = Number(libc.llistxattr(text(path), names, names.length));
  if (length <= 0) return {};
  const found: Record<string, string> = {};
  for (const name of names
    .toString('utf8', 0, length - 1)
    .split('\0')
    .sort()) {
    const value = Buffer.alloc(65_536);
    const size = Number(libc.lgetxattr(text(path), text(name), value, value.length));
    found[name] = value.toString('latin1', 0, Math.max(0, size));
  }
  return found;
}

function digest(path: BytePath): string {
  const hash = createHash('sha256');
  const chunk = Buffer.alloc(1 << 20);
  const file = openSync(path, 'r');
  for (let read = readSync(file, chunk); read > 0; read = readSync(file, chunk)) hash.update(chunk.subarray(0, read));
  closeSync(file);
  return hash.digest('hex');
}

/** One line for each object below (and) `root`: path, type and mode, owner, device, size, time, link, contents, holes, attributes. */
export function listTree(root: string | Buffer): string[] {
  const lines: string[] = [];
  const inodes = new Map<bigint, string>();
  const visit = (path: BytePath, name: string): void => {
    const status = lstatSync(path, { bigint: true });
    const facts: unknown[] = [name, status.mode.toString(8), `${status.uid}:${status.gid}`, `${status.mtimeNs}`];
    if (status.isCharacterDevice() || status.isBlockDevice()) facts.push(`device ${status.rdev}`);
    if (status.isSymbolicLink()) facts.push(`-> ${readlinkSync(path, { encoding: 'buffer' }).toString('latin1')}`);
    if (status.isFile())
      facts.push(`${status.size} bytes`, digest(path), status.blocks * 512n < status.size ? 'holes' : 'whole');
    if (!status.isDirectory() && status.nlink > 1n) {
      facts.push(`link to ${inodes.get(status.ino) ?? name}`);
      if (!inodes.has(status.ino)) inodes.set(status.ino, name);
    }
    if (!status.isSymbolicLink()) facts.push(JSON.stringify(xattrs(path)));
    lines.push(facts.join(' '));
    if (!status.isDirectory()) return;
    const names = readdirSync(path, { encoding: 'buffer' }).sort(Buffer.compare);
    for (const child of names) visit(join(path, child), `${name}/${child.toString('latin1')}`);
  };
  visit(bytes(root), '');
  return lines;
}
