/** Files of this machine that commands send or write. */
import { open, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
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

/**
 * Looks at where a file is to be written before anything is asked of the engine.
 * @param task what fails: `save image`
 * @returns where links lead, and whether a file can be put there in one step: a device or a pipe is written into
 * Errors: `invalid` in Docker's words.
 */
export async function outputPlace(path: string, task: string): Promise<OutputPlace> {
  const problem = (text: string): BerthError => new BerthError('invalid', `failed to ${task}: ${text}`);
  const found = await stat(path).catch(() => null);
  if (found?.isDirectory()) throw problem('cannot write to a directory');
  if (found) return { path: await realpath(path), isFile: found.isFile() };
  const directory = dirname(path);
  const parent = await stat(directory).catch(() => null);
  if (!parent?.isDirectory()) {
    const reason = parent ? 'not a directory' : 'no such file or directory';
    throw problem(`invalid output path: stat ${directory}: ${reason}`);
  }
  return { path, isFile: true };
}

export interface OutputPlace {
  path: string;
  isFile: boolean;
}

/** Writes a stream to a file that appears only when it is whole. */
export async function writeToFile(place: OutputPlace, reader: ByteReader): Promise<void> {
  const { path, isFile } = place;
  const unfinished = isFile ? `${path}.${process.pid}.tmp` : path;
  const file = await open(unfinished, isFile ? 'wx' : 'w', 0o600);
  try {
    for (let bytes = await reader.read(); bytes !== null; bytes = await reader.read()) await file.writeFile(bytes);
    await file.close();
    if (isFile) await rename(unfinished, path);
  } catch (error) {
    await file.close().catch(() => undefined);
    if (isFile) await rm(unfinished, { force: true });
    throw error;
  }
}
