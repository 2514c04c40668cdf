/**
 * The native helper program on disk. Its name carries its digest: a container keeps the program that it was started with,
 * and an engine that was upgraded puts its own beside it.
 */
import { createHash } from 'node:crypto';
import { mkdir, open, readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { embeddedShim } from './embedded-shim.ts';

/** Puts the program into `directory` (`<data root>/bin`), unless it is there, and gives its path. */
export async function installShim(directory: string): Promise<string> {
  const bytes = await readFile(embeddedShim);
  const digest = createHash('sha256').update(bytes).digest('hex').slice(0, 16);
  const path = join(directory, `shim-${digest}`);
  const present = await stat(path).catch(() => null);
  if (present?.size === bytes.length && (present.mode & 0o111) === 0o111) return path;
  await mkdir(directory, { recursive: true, mode: 0o710 });
  const temporary = `${path}.${process.pid}.new`;
  const file = await open(temporary, 'w', 0o755);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  return path;
}
