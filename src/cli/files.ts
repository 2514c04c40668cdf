/** Files of this machine that commands send or write. */
import { open, rename, rm } from 'node:fs/promises';
import { BerthError } from '../api/errors.ts';
import type { ByteReader } from '../client/transport/transport.ts';
import { standardInput } from './streams/terminal.ts';

/** A file's bytes; standard input for an empty path. Error: `not-found` in Docker's words. */
export async function openUpload(path: string): Promise<AsyncIterable<Uint8Array>> {
  if (path === '') return standardInput();
  const file = Bun.file(path);
  if (!(await file.exists())) throw new BerthError('not-found', `open ${path}: no such file or directory`);
  return file.stream() as unknown as AsyncIterable<Uint8Array>;
}

/** Writes a stream to a file that appears only when it is whole. */
export async function writeToFile(path: string, reader: ByteReader): Promise<void> {
  const unfinished = `${path}.${process.pid}.tmp`;
  const file = await open(unfinished, 'wx', 0o600).catch((cause: unknown) => {
    throw new BerthError(
      'invalid',
      `failed to save image: invalid output path: ${cause instanceof Error ? cause.message : cause}`,
      { cause },
    );
  });
  try {
    for (let bytes = await reader.read(); bytes !== null; bytes = await reader.read()) await file.writeFile(bytes);
    await file.close();
    await rename(unfinished, path);
  } catch (error) {
    await file.close().catch(() => undefined);
    await rm(unfinished, { force: true });
    throw error;
  }
}
