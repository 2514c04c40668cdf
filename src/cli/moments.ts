import { BerthError } from '../api/errors.ts';
import { formatUnixTime, parseMoment } from '../wire/time.ts';

/**
 * `--since` and `--until` as the engine reads them: Unix seconds with nanoseconds.
 * @param name of the option, where the error has it
 * @param text a time, Unix seconds, or a duration before now; empty: undefined
 */
export function parseMomentOption(text: string, name?: string): string | undefined {
  if (text === '') return undefined;
  try {
    return formatUnixTime(parseMoment(text, new Date()));
  } catch (cause) {
    const option = name === undefined ? '' : `invalid value for "${name}": `;
    throw new BerthError('invalid', `${option}${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}
