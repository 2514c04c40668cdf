import { formatTime } from '../../wire/time.ts';

/** Unix nanoseconds; the digits below a millisecond come from the monotonic clock, as no other is that fine here. */
function nowNanoseconds(): bigint {
  return BigInt(Date.now()) * 1_000_000n + (process.hrtime.bigint() % 1_000_000n);
}

/** Now, as Docker writes times: RFC 3339 with nanoseconds. */
export function timestamp(): string {
  return formatTime(nowNanoseconds());
}

/** A time of the supervisor, which has milliseconds, in the same form. */
export function timestampOf(date: Date): string {
  return formatTime(BigInt(date.getTime()) * 1_000_000n);
}
