/** Kernel calls by FFI: errno, blocking, and a socket made in another network namespace. */
import { CString, dlopen, FFIType, ptr, read } from 'bun:ffi';
import { describe, expect, test } from 'bun:test';
import { closeSync, openSync, readdirSync, readlinkSync } from 'node:fs';

const { i32, u64 } = FFIType;
const libc = dlopen('libc.so.6', {
  __errno_location: { args: [], returns: FFIType.ptr },
  close: { args: [i32], returns: i32 },
  open: { args: [FFIType.cstring, i32], returns: i32 },
  setns: { args: [i32, i32], returns: i32 },
  socket: { args: [i32, i32, i32], returns: i32 },
  ioctl: { args: [i32, u64, FFIType.ptr], returns: i32 },
  strerror: { args: [i32], returns: FFIType.cstring },
}).symbols;

const EBADF = 9;
const ENOENT = 2;
const CLONE_NEWNET = 0x40000000;
const AF_NETLINK = 16;
const SIOCGSKNS = 0x894cn;

function errno(): number {
  const location = libc.__errno_location();
  if (location === null) throw new Error('no errno');
  return read.i32(location, 0);
}

test('errno is that of the call before it, whatever is allocated between', () => {
  const missing = Buffer.from('/nowhere/at/all\0');
  const garbage: object[] = [];
  for (let i = 0; i < 20_000; i++) {
    expect(libc.close(-1)).toBe(-1);
    garbage[i % 100] = { text: `allocation ${i}`, bytes: new Uint8Array(64) };
    if (errno() !== EBADF) throw new Error(`errno ${errno()} after close, round ${i}`);
    expect(libc.open(ptr(missing), 0)).toBe(-1);
    if (errno() !== ENOENT) throw new Error(`errno ${errno()} after open, round ${i}`);
  }
  expect(String(new CString(ptr(Buffer.from('text\0'))))).toBe('text');
});

describe('setns around socket()', () => {
  test('gives a socket of the other namespace, leaves every thread at home, and no descriptor behind', async () => {
    const away = Bun.spawn(['unshare', '--net', 'sh', '-c', 'echo ready; exec sleep 1000'], { stdout: 'pipe' });
    try {
      await away.stdout.getReader().read();
      const home = readlinkSync('/proc/self/ns/net');
      const there = readlinkSync(`/proc/${away.pid}/ns/net`);
      expect(there).not.toBe(home);
      const homeFile = openSync('/proc/self/ns/net', 'r');
      const awayFile = openSync(`/proc/${away.pid}/ns/net`, 'r');
      const before = readdirSync('/proc/self/fd').length;
      for (let round = 0; round < 2000; round++) {
        // Nothing may await between these two.
        expect(libc.setns(awayFile, CLONE_NEWNET)).toBe(0);
        const socket = libc.socket(AF_NETLINK, 3, 0);
        expect(libc.setns(homeFile, CLONE_NEWNET)).toBe(0);
        expect(socket).toBeGreaterThan(0);
        if (round % 100 === 0) {
          const namespace = libc.ioctl(socket, SIOCGSKNS, null);
          expect(readlinkSync(`/proc/self/fd/${namespace}`)).toBe(there);
          closeSync(namespace);
        }
        closeSync(socket);
      }
      for (const thread of readdirSync('/proc/self/task')) {
        expect(readlinkSync(`/proc/self/task/${thread}/ns/net`)).toBe(home);
      }
      expect(readdirSync('/proc/self/fd').length).toBe(before);
      closeSync(homeFile);
      closeSync(awayFile);
    } finally {
      away.kill();
      await away.exited;
    }
  });
});
