/** Unix nanoseconds; the digits below a millisecond come from the monotonic clock, as no other is that fine here. */
export function nowNanoseconds(): bigint {
  return BigInt(Date.now()) * 1_000_000n + (process.hrtime.bigint() % 1_000_000n);
}
