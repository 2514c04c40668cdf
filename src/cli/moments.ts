import { BerthError } from '../api/errors.ts';
import { formatUnixTime, parseMoment } from '../wire/time.ts';

/**
 * `--since` and `--until` as the engine reads them: Unix seconds with nanoseconds.
 * @param text a time, Unix seconds, or a duration before now; empty: undefined
 */
export function parseMomentOption(name: string, text: string): string | undefined {
  if (text === '') return undefined;
  try {
    return formatUnixTime(parseMoment(text, new Date()));
  } catch (cause) {
    throw new BerthError('invalid', `invalid value for "${name}": ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    });
  }
}
