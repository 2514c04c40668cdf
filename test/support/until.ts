/** Waiting in tests: never for a time, always for a named state. */
import { setTimeout } from 'node:timers/promises';

/** Milliseconds; generous, because a red test costs more than a slow one and a machine may be busy. */
const defaultDeadline = 60_000;

/**
 * Calls `probe` until it gives something truthy and returns that. An exception counts as "not yet" and its message is part of
 * the failure.
 * @param description the state that is waited for, as in "waited 60 s for <description>"
 */
export async function until<T>(
  description: string,
  probe: () => T | Promise<T>,
  deadline = defaultDeadline,
): Promise<NonNullable<T>> {
  const end = performance.now() + deadline;
  let last: unknown;
  for (let pause = 2; ; pause = Math.min(pause * 1.5, 100)) {
    try {
      last = await probe();
      if (last) return last as NonNullable<T>;
    } catch (error) {
      last = error;
    }
    if (performance.now() > end) {
      const seen = last instanceof Error ? last.message : Bun.inspect(last);
      throw new Error(`waited ${deadline / 1000} s for ${description}; last seen: ${seen}`);
    }
    await setTimeout(pause);
  }
}
