/** Standard input and output of a job. A job has its process to itself, so it may wait as it likes. */
import { read, write as writeDescriptor, writeSync } from 'node:fs';
import type { Writable } from 'node:stream';

/** Bytes a read: few enough that a chunk is still in the processor's cache when it is hashed and written. */
const chunkSize = 128 * 1024;
/** Buffers that take turns: one is read into while another is worked on. */
const ringSize = 4;
/** What is smaller is copied out of the ring: streams take small chunks without waiting, and would have many of them at once. */
const leastLent = 64 * 1024;

/** A chunk for whoever writes it to a stream before he takes the next but two. */
export function lent(buffer: Buffer, length: number): Buffer {
  const chunk = buffer.subarray(0, length);
  return length < leastLent ? Buffer.from(chunk) : chunk;
}

/**
 * The bytes of a descriptor until its end, one read ahead of whoever takes them. The buffers are used again: a chunk is good until
 * two more have been taken, so whoever keeps bytes copies them.
 */
export async function* readDescriptor(descriptor: number): AsyncGenerator<Buffer> {
  const ring = Array.from({ length: ringSize }, () => Buffer.allocUnsafeSlow(chunkSize));
  let ahead = readOnce(descriptor, ring[0] as Buffer);
  for (let turn = 0; ; turn++) {
    const length = await ahead;
    if (length === 0) return;
    ahead = readOnce(descriptor, ring[(turn + 1) % ringSize] as Buffer);
    // It may fail while nobody waits for it yet; whoever takes the next chunk hears of it.
    ahead.catch(() => undefined);
    yield lent(ring[turn % ringSize] as Buffer, length);
  }
}

function readOnce(descriptor: number, buffer: Buffer): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  read(descriptor, buffer, 0, buffer.length, null, (error, length) => (error ? reject(error) : resolve(length)));
  return promise;
}

/** One JSON line to whoever started the job. */
export function tell(message: object): void {
  const bytes = Buffer.from(`${JSON.stringify(message)}\n`);
  for (let done = 0; done < bytes.length; ) done += writeSync(1, bytes, done);
}

/** Puts bytes on standard output; resolves when the pipe took them. */
export async function put(bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    writeDescriptor(1, bytes, done, bytes.length - done, null, (error, length) =>
      error ? reject(error) : resolve(length),
    );
    done += await promise;
  }
}

/** Writes with back-pressure; resolves too when the target is closed, whose owner hears why. */
export async function write(target: Writable, chunk: Uint8Array): Promise<void> {
  if (target.write(chunk) || target.destroyed) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  target.once('drain', resolve);
  target.once('close', resolve);
  await promise;
  target.off('drain', resolve);
  target.off('close', resolve);
}

/**
 * The JSON lines that the engine gives a job on standard input. Their end is the engine's: this process goes with it, and what it started.
 */
export async function* ordersOf(): AsyncGenerator<unknown> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of readDescriptor(0)) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() as string;
    for (const line of lines) yield JSON.parse(line);
  }
  endGroup();
}

/** Ends the process when the engine, which holds the other end of an unused standard input, is gone. */
export function dieWithEngine(): void {
  void (async () => {
    for await (const _ of readDescriptor(0));
    endGroup();
  })();
}

/** Whatever this job started is in its process group. */
function endGroup(): void {
  process.kill(0, 'SIGKILL');
}
