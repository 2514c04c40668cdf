import { spawn } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createZstdDecompress } from 'node:zlib';
import { BerthError } from '../api/errors.ts';

/**
 * The tar of a layer, bit by bit, from its tree and recipe. Error: `internal` where the directory does not fit its recipe.
 * @param directory the layer's, with `diff/` and `recipe.zst`
 */
export async function* rebuildLayer(helper: string, directory: string): AsyncGenerator<Buffer> {
  const child = spawn(helper, ['pack', '--recipe', directory], { stdio: ['pipe', 'pipe', 'pipe'] });
  const { promise, resolve } = Promise.withResolvers<number | null>();
  child.on('close', resolve);
  let message = '';
  child.stderr.on('data', (data: Buffer) => {
    message += data.toString();
  });
  const fed = pipeline(
    createReadStream(join(directory, 'recipe.zst'), { highWaterMark: 256 * 1024 }),
    createZstdDecompress({ chunkSize: 256 * 1024 }),
    child.stdin,
  ).catch((error: Error) => {
    message ||= error.message;
    child.kill('SIGKILL');
  });
  yield* child.stdout as AsyncIterable<Buffer>;
  await fed;
  const code = await promise;
  if (code !== 0) throw new BerthError('internal', `cannot make layer ${directory} again: ${message.trim()}`);
}
