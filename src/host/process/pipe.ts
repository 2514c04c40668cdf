/** Pipes to children, read without a copy and without a thread that waits: what a job moves by the gigabyte. */
import { dlopen, FFIType, ptr, read as readMemory } from 'bun:ffi';
import { setTimeout } from 'node:timers/promises';
import { getSystemErrorName } from 'node:util';

const { i32, u64, i64, ptr: pointer } = FFIType;
const { symbols: libc } = dlopen('libc.so.6', {
  pipe2: { args: [pointer, i32], returns: i32 },
  fcntl: { args: [i32, i32, i32], returns: i32 },
  read: { args: [i32, pointer, u64], returns: i64 },
  close: { args: [i32], returns: i32 },
  __errno_location: { args: [], returns: pointer },
});

/** fcntl(2) */
const closeOnExec = 0o2000000;
const setPipeSize = 1031;
const setFlags = 4;
const nonBlocking = 0o4000;
/** asm-generic/errno.h */
const interrupted = 4;
const wouldBlock = 11;
/** A megabyte, where the user's share of such memory is not used up. */
const pipeSize = 1 << 20;
/** Milliseconds between two looks into a pipe that is empty; doubled while it stays so. */
const firstPause = 1;
const longestPause = 32;

/** The reading end of a pipe. */
export class PipeReader {
  readonly #descriptor: number;
  #isOpen = true;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  /** Puts what is there into `target`, at least one byte; gives how many, 0 at the end. Error: the system's. */
  async read(target: Uint8Array): Promise<number> {
    for (let pause = firstPause; ; pause = Math.min(2 * pause, longestPause)) {
      if (!this.#isOpen) return 0;
      const count = Number(libc.read(this.#descriptor, ptr(target), target.length));
      if (count >= 0) return count;
      const place = libc.__errno_location();
      const errno = place === null ? 0 : readMemory.i32(place, 0);
      if (errno === wouldBlock) await setTimeout(pause);
      else if (errno !== interrupted) throw new Error(`read of a pipe: ${getSystemErrorName(-errno)}`);
    }
  }

  close(): void {
    if (this.#isOpen) libc.close(this.#descriptor);
    this.#isOpen = false;
  }
}

/** A pipe. The writing end is for a child: close it here when the child has it. Error: out of descriptors. */
export function openPipe(): { reader: PipeReader; writer: number; closeWriter: () => void } {
  const ends = new Int32Array(2);
  if (libc.pipe2(ptr(ends), closeOnExec) !== 0) throw new Error('cannot make a pipe');
  const [reading, writer] = ends as unknown as [number, number];
  libc.fcntl(reading, setFlags, nonBlocking);
  libc.fcntl(reading, setPipeSize, pipeSize);
  return { reader: new PipeReader(reading), writer, closeWriter: () => void libc.close(writer) };
}
