/** Times and durations as Go and Docker write and read them. Nanoseconds are `bigint`. */
import { BerthError } from '../api/errors.ts';

const second = 1_000_000_000n;

/** Go's zero time: never. */
export const zeroTime = '0001-01-01T00:00:00Z';

const unitNanoseconds: Record<string, bigint> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: second,
  m: 60n * second,
  h: 3600n * second,
};

/** `1h30m`, `1.5s`, `-2m`, `0` → nanoseconds. Error: `invalid` in Go's words. */
export function parseDuration(text: string): bigint {
  const invalid = () => new BerthError('invalid', `time: invalid duration ${JSON.stringify(text)}`);
  const match = /^([+-]?)(.+)$/s.exec(text);
  if (!match) throw invalid();
  const body = match[2] as string;
  if (body === '0') return 0n;
  let total = 0n;
  let position = 0;
  const part = /(\d*)(?:\.(\d*))?([a-zµμ]*)/y;
  while (position < body.length) {
    part.lastIndex = position;
    const [whole, integer, fraction, unit] = part.exec(body) as RegExpExecArray;
    if (!whole || (!integer && !fraction)) throw invalid();
    if (!unit) throw new BerthError('invalid', `time: missing unit in duration ${JSON.stringify(text)}`);
    const scale = unitNanoseconds[unit];
    if (scale === undefined)
      throw new BerthError('invalid', `time: unknown unit ${JSON.stringify(unit)} in duration ${JSON.stringify(text)}`);
    total += BigInt(integer || 0) * scale;
    if (fraction) total += (BigInt(fraction) * scale) / 10n ** BigInt(fraction.length);
    position += whole.length;
  }
  if (total > 2n ** 63n - 1n) throw invalid();
  return match[1] === '-' ? -total : total;
}

/** Nanoseconds → `1h30m0s`, `1.5s`, `10ms`, `0s`, as Go prints a duration. */
export function formatDuration(nanoseconds: bigint): string {
  if (nanoseconds === 0n) return '0s';
  const sign = nanoseconds < 0n ? '-' : '';
  const value = nanoseconds < 0n ? -nanoseconds : nanoseconds;
  if (value < second) {
    const [unit, scale] = value < 1_000n ? ['ns', 1n] : value < 1_000_000n ? ['µs', 1_000n] : ['ms', 1_000_000n];
    return `${sign}${decimal(value, scale as bigint)}${unit}`;
  }
  const hours = value / unitNanoseconds['h']!;
  const minutes = (value / unitNanoseconds['m']!) % 60n;
  const seconds = `${decimal(value % unitNanoseconds['m']!, second)}s`;
  if (hours > 0n) return `${sign}${hours}h${minutes}m${seconds}`;
  return minutes > 0n ? `${sign}${minutes}m${seconds}` : `${sign}${seconds}`;
}

function decimal(value: bigint, scale: bigint): string {
  const fraction = (value % scale)
    .toString()
    .padStart(scale.toString().length - 1, '0')
    .replace(/0+$/, '');
  return `${value / scale}${fraction && scale > 1n ? `.${fraction}` : ''}`;
}

/** Docker's rough words for a span: `Less than a second`, `5 seconds`, `About a minute`, `3 hours`, `2 days`, … */
export function humanDuration(milliseconds: number): string {
  const seconds = Math.trunc(milliseconds / 1000);
  if (seconds < 1) return 'Less than a second';
  if (seconds === 1) return '1 second';
  if (seconds < 60) return `${seconds} seconds`;
  const minutes = Math.trunc(milliseconds / 60_000);
  if (minutes === 1) return 'About a minute';
  if (minutes < 60) return `${minutes} minutes`;
  const hours = Math.trunc(milliseconds / 3_600_000 + 0.5);
  if (hours === 1) return 'About an hour';
  if (hours < 48) return `${hours} hours`;
  if (hours < 24 * 7 * 2) return `${Math.trunc(hours / 24)} days`;
  if (hours < 24 * 30 * 2) return `${Math.trunc(hours / 24 / 7)} weeks`;
  if (hours < 24 * 365 * 2) return `${Math.trunc(hours / 24 / 30)} months`;
  return `${Math.trunc(milliseconds / 3_600_000 / 24 / 365)} years`;
}

/** `1136073845.000000001` → Unix nanoseconds. Null: no such form. */
export function parseUnixTime(text: string): bigint | null {
  const match = /^(-?\d{1,18})(?:\.(\d*))?$/.exec(text);
  if (!match) return null;
  const seconds = BigInt(match[1] as string) * second;
  const fraction = BigInt((match[2] ?? '').slice(0, 9).padEnd(9, '0'));
  return seconds + fraction;
}

/** Unix nanoseconds → `1136073845.000000001`, the form of `since` and `until`. */
export function formatUnixTime(nanoseconds: bigint): string {
  return `${nanoseconds / second}.${(nanoseconds % second).toString().padStart(9, '0')}`;
}

/**
 * What a user may write for a moment: a Go duration before `now`, RFC 3339 with or without time, seconds and zone (without a zone:
 * local time), or Unix seconds with a fraction.
 * Error: `invalid` in Docker's words.
 */
export function parseMoment(text: string, now: Date = new Date()): bigint {
  const unix = parseUnixTime(text);
  if (unix !== null) return unix;
  const date = /^(\d{4}-\d\d-\d\d)(?:[Tt](\d\d(?::\d\d(?::\d\d)?)?)(?:\.(\d+))?)?([Zz]|[+-]\d\d:\d\d)?$/.exec(text);
  if (date) {
    const [, day, time = '00:00:00', fraction = '', zone = ''] = date as unknown as (string | undefined)[];
    const whole = new Date(`${day}T${(time ?? '').padEnd(8, ':00')}${(zone ?? '').toUpperCase()}`).getTime();
    if (Number.isFinite(whole)) return BigInt(whole) * 1_000_000n + BigInt((fraction ?? '').slice(0, 9).padEnd(9, '0'));
  } else {
    try {
      return BigInt(now.getTime()) * 1_000_000n - parseDuration(text);
    } catch {
      // Neither form: the error below names what was written.
    }
  }
  throw new BerthError('invalid', `failed to parse value as time or duration: ${JSON.stringify(text)}`);
}

/** RFC 3339 as Go prints it (RFC3339Nano: no zeros at the end of the fraction), UTC. */
export function formatTime(nanoseconds: bigint): string {
  const seconds = nanoseconds / second;
  const fraction = (nanoseconds % second).toString().padStart(9, '0').replace(/0+$/, '');
  const whole = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  return fraction ? `${whole}.${fraction}Z` : `${whole}Z`;
}

/** RFC 3339 with any fraction → Unix nanoseconds. Null: no such form, or Go's zero time. */
export function parseTime(text: string): bigint | null {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?(Z|[+-]\d\d:\d\d)$/.exec(text);
  if (!match || text.startsWith('0001-')) return null;
  const whole = Date.parse(`${match[1]}${match[3]}`);
  if (Number.isNaN(whole)) return null;
  return BigInt(whole) * 1_000_000n + BigInt((match[2] ?? '').padEnd(9, '0'));
}
