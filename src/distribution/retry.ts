/** When a registry is asked once more, and how long that waits. */
import { BerthError } from '../api/errors.ts';
import { RegistryError } from './registry-errors.ts';

export interface RetryOptions {
  signal: AbortSignal;
  /** Milliseconds of the first pause, doubled each time; default 500. */
  firstPause?: number;
  /** Told of a pause that somebody would notice. */
  onRetry?: (seconds: number) => void;
}

const longestPause = 10_000;

/** Would the same question get another answer a little later? */
export function isTransient(error: unknown): boolean {
  if (error instanceof RegistryError) return error.status >= 500 || error.status === 429 || error.status === 408;
  return !(error instanceof BerthError) && !isDiskError(error);
}

export function isDiskError(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT', 'EROFS', 'EIO', 'EFBIG'].includes((error as NodeJS.ErrnoException).code ?? '');
}

/** Waits before the next attempt; as long as the registry asks for, where it does. Rejects with the signal's reason. */
export async function pause(failures: number, error: unknown, options: RetryOptions): Promise<void> {
  const doubled = Math.min((options.firstPause ?? 500) * 2 ** (failures - 1), longestPause);
  // Spread, so that many clients of one registry do not come back in step.
  const spread = doubled * (0.75 + Math.random() / 2);
  const asked = error instanceof RegistryError ? Math.min(error.retryAfter, 60_000) : 0;
  const milliseconds = Math.max(spread, asked);
  if (milliseconds >= 1000) options.onRetry?.(Math.round(milliseconds / 1000));
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, milliseconds);
  const leave = (): void => resolve();
  options.signal.addEventListener('abort', leave, { once: true });
  await promise;
  clearTimeout(timer);
  options.signal.removeEventListener('abort', leave);
  options.signal.throwIfAborted();
}
