/** Files of variables and labels, one a line. */
import { BerthError } from '../../api/errors.ts';

/**
 * Lines `KEY=value`; blank lines and those that begin with `#` are left out.
 * @param lookup for a key alone (the environment's value; undefined leaves it out)
 */
export async function readKeyValueFile(path: string, lookup: (key: string) => string | undefined): Promise<string[]> {
  let text: string;
  try {
    text = await Bun.file(path).text();
  } catch (cause) {
    const isDirectory = (cause as NodeJS.ErrnoException).code === 'EISDIR';
    const problem = isDirectory ? `read ${path}: is a directory` : `open ${path}: no such file or directory`;
    throw new BerthError('not-found', problem, { cause });
  }
  const lines: string[] = [];
  for (const raw of text.replace(/^\uFEFF/, '').split('\n')) {
    const line = raw.replace(/\r$/, '').replace(/^\s+/, '');
    if (line === '' || line.startsWith('#')) continue;
    const equals = line.indexOf('=');
    const key = equals < 0 ? line : line.slice(0, equals);
    if (key === '') throw new BerthError('invalid', `invalid env file (${path}): no variable name on line '${line}'`);
    if (/\s/.test(key))
      throw new BerthError('invalid', `invalid env file (${path}): variable '${key}' contains whitespaces`);
    if (equals >= 0) lines.push(line);
    else {
      const value = lookup(key);
      if (value !== undefined) lines.push(`${key}=${value}`);
    }
  }
  return lines;
}
