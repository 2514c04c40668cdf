import { nowNanoseconds } from '../../base/clock.ts';
import { formatTime } from '../../wire/time.ts';

/** Now, as Docker writes times: RFC 3339 with nanoseconds. */
export function timestamp(): string {
  return formatTime(nowNanoseconds());
}

/** A time of the supervisor, which has milliseconds, in the same form. */
export function timestampOf(date: Date): string {
  return formatTime(BigInt(date.getTime()) * 1_000_000n);
}
