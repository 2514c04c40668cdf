/** Files of this machine as a tar and back, by the machine's own tar: it knows links, devices, times and names that are no text. */
import { mkdir } from 'node:fs/promises';
import type { ByteReader } from '../../client/transport/transport.ts';
import { ExitStatus } from '../command.ts';

/** Renames the first entry of an archive; link targets stay as they are, hard links follow. */
function renaming(from: string, to: string): string[] {
  if (from === to) return [];
  const pattern = from.replace(/[.*[\]^$\\,]/g, '\\$&');
  const replacement = to.replace(/[\\&,]/g, '\\$&');
  return ['--transform', `flags=rhS;s,^${pattern}\\(/\\|$\\),${replacement}\\1,`];
}

/** @param name that `base` has in the archive */
export async function* packLocal(directory: string, base: string, name: string): AsyncGenerator<Uint8Array> {
  const words = ['tar', '--create', '--file=-', '--format=gnu', '--sparse', `--directory=${directory}`];
  const child = Bun.spawn([...words, ...renaming(base, name), '--', base], {
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  });
  yield* child.stdout as unknown as AsyncIterable<Uint8Array>;
  await finished(child);
}

export async function unpackLocal(
  reader: ByteReader,
  directory: string,
  options: { from: string; to: string; keepOwner: boolean },
): Promise<void> {
  // The contents of a directory come under names that differ from engine to engine; below a directory of their own it does not matter.
  const isContents = options.from === '.';
  const place = isContents && options.to !== '.' ? `${directory}/${options.to}` : directory;
  if (place !== directory) await mkdir(place, { recursive: true });
  const owner = options.keepOwner ? '--same-owner' : '--no-same-owner';
  const words = [
    'tar',
    '--extract',
    '--file=-',
    '--same-permissions',
    owner,
    '--numeric-owner',
    `--directory=${place}`,
  ];
  const child = Bun.spawn([...words, ...(isContents ? [] : renaming(options.from, options.to))], {
    stdin: 'pipe',
    stdout: 'ignore',
    stderr: 'pipe',
  });
  try {
    for (let bytes = await reader.read(); bytes !== null; bytes = await reader.read()) {
      child.stdin.write(bytes);
      await child.stdin.flush();
    }
    await child.stdin.end();
  } catch (error) {
    // A tar that gave up says why itself; a connection that broke must not leave half a copy that looks whole.
    child.kill();
    await finished(child);
    throw error;
  }
  await finished(child);
}

async function finished(child: { exited: Promise<number>; stderr: ReadableStream<Uint8Array> }): Promise<void> {
  const [status, words] = await Promise.all([child.exited, new Response(child.stderr).text()]);
  if (status !== 0) throw new ExitStatus(1, words.trim() || `tar ended with status ${status}`);
}
