/** The `progress` text of Docker's messages, for clients that print it as it is. */
import type { ProgressMessage } from '../../api/types/progress.ts';
import { humanSize } from '../../wire/size.ts';

/** `[=====>     ]  3.815kB/29.09kB` */
function progressBar(current: number, total: number): string {
  const filled = total > 0 ? Math.min(50, Math.floor(Math.floor((current / total) * 100) / 2)) : 0;
  const numbers = current > total ? humanSize(current) : `${humanSize(current).padStart(8)}/${humanSize(total)}`;
  return `[${'='.repeat(filled)}>${' '.repeat(50 - filled)}] ${numbers}`;
}

/** A message with its detail and the bar. */
export function progressMessage(
  status: string,
  id: string,
  count: { current: number; total: number },
): ProgressMessage {
  return {
    status,
    progressDetail: { current: count.current, total: count.total },
    progress: progressBar(count.current, count.total),
    id,
  };
}

/** Milliseconds between two messages about one thing, as dockerd does. */
const interval = 100;

/** Lets a count through at most every 100 ms, and always the last one. */
export class ProgressPace {
  #next = 0;

  isDue(isLast: boolean): boolean {
    const now = performance.now();
    if (!isLast && now < this.#next) return false;
    this.#next = now + interval;
    return true;
  }
}
