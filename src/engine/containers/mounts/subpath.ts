import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { BerthError, errorMessage } from '../../../api/errors.ts';

/**
 * Says in dockerd's words why a directory inside a volume cannot be mounted. The mount itself is safe without this: the shim opens the
 * path inside the volume, whatever a container makes of it meanwhile.
 * Errors: `not-found`, `invalid` for a link that leads out.
 */
export async function checkSubpath(volume: string, subpath: string): Promise<void> {
  const path = join(volume, subpath);
  const [base, real] = await Promise.all([
    realpath(volume),
    realpath(path).catch((error: unknown) => missing(path, error)),
  ]);
  if (real === base || real.startsWith(`${base}/`)) return;
  throw new BerthError(
    'invalid',
    `path concatenation escapes the base directory, base: ${volume}, subpath: ${subpath}`,
  );
}

function missing(path: string, cause: unknown): never {
  const { code } = cause as NodeJS.ErrnoException;
  const reason =
    code === 'ENOENT' ? 'no such file or directory' : code === 'ENOTDIR' ? 'not a directory' : errorMessage(cause);
  throw new BerthError('not-found', `cannot access path ${path}: lstat ${path}: ${reason}`, { cause });
}
