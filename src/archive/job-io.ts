/** Standard input and output of a job. A job has its process to itself, so it may wait as it likes. */
import { read, write as writeDescriptor, writeSync } from 'node:fs';
import type { Writable } from 'node:stream';

/** Bytes a read; a pipe of Linux holds up to 1 MiB, a socket pair about 200 KiB. */
const chunkSize = 256 * 1024;

/** The bytes of a descriptor until its end, in fresh buffers. */
export async function* readDescriptor(descriptor: number): AsyncGenerator<Buffer> {
  for (;;) {
    const buffer = Buffer.allocUnsafeSlow(chunkSize);
    const length = await readOnce(descriptor, buffer);
    if (length === 0) return;
    yield buffer.subarray(0, length);
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

/** Ends the process when the engine, which holds the other end of an unused standard input, is gone. */
export function dieWithEngine(): void {
  void (async () => {
    for await (const _ of readDescriptor(0));
    // Whatever this job started is in its process group.
    process.kill(0, 'SIGKILL');
  })();
}
