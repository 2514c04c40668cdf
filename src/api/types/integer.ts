/**
 * A 64-bit integer of Docker's API. A `number` while it is exact (within ±(2^53 − 1)), a `bigint` beyond; `src/wire/json.ts` reads and
 * writes both as JSON integers, digit by digit. Compare with `<`, `>`, `==`; compute with `BigInt(value)`.
 */
export type Integer64 = number | bigint;
