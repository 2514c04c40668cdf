import { spawn } from 'node:child_process';
import { createReadStream, createWriteStream } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { constants, createZstdCompress } from 'node:zlib';
import { BerthError } from '../../api/errors.ts';

export interface SealOptions {
  /** The native helper program. */
  helper: string;
  /** With the tree in `diff/`; gets `recipe.zst`. */
  directory: string;
  /** Seconds; files that are newer get this time. Null: they keep theirs. */
  latest: number | null;
  signal?: AbortSignal;
}

/**
 * The digest of the tar that a tree makes, and the recipe to make it again. The tar itself is never written. Errors: `internal` with the
 * helper's words; the signal's reason.
 */
export async function sealTree(options: SealOptions): Promise<{ diffId: string; size: number; tarSize: number }> {
  const { directory, signal } = options;
  signal?.throwIfAborted();
  const raw = join(directory, 'recipe');
  const recipe = await open(raw, 'w', 0o600);
  const words = ['pack', '--write-recipe', '3'];
  if (options.latest !== null) words.push('--latest', String(options.latest));
  const child = spawn(options.helper, [...words, join(directory, 'diff')], {
    stdio: ['ignore', 'pipe', 'pipe', recipe.fd],
  });
  const kill = (): void => void child.kill('SIGKILL');
  signal?.addEventListener('abort', kill, { once: true });
  const { promise: ended, resolve, reject } = Promise.withResolvers<number | null>();
  child.once('error', reject).once('close', resolve);
  let facts = '';
  child.stdout?.on('data', (data: Buffer) => {
    facts += data.toString();
  });
  let said = '';
  child.stderr?.on('data', (data: Buffer) => {
    said += data.toString();
  });
  try {
    const code = await ended;
    signal?.throwIfAborted();
    if (code !== 0) throw new BerthError('internal', `cannot read the layer: ${said.trim() || `exit code ${code}`}`);
  } finally {
    signal?.removeEventListener('abort', kill);
    await recipe.close();
  }
  await pipeline(
    createReadStream(raw, { highWaterMark: 256 * 1024 }),
    createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: 1 } }),
    createWriteStream(join(directory, 'recipe.zst'), { mode: 0o600 }),
  );
  await rm(raw);
  const [digest, tarSize, size] = facts.trim().split(' ');
  return { diffId: `sha256:${digest}`, size: Number(size), tarSize: Number(tarSize) };
}
