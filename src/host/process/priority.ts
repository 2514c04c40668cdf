import { setPriority } from 'node:os';

/** The `nice` value of the engine's own thread. */
const answersFirst = -10;

/**
 * Puts the calling thread before ordinary processes: a machine full of starting containers must not keep the engine from
 * answering, and its own work is short. Native programs that it starts go back to 0 (shim/main.c), jobs further down. Where the
 * engine may not do that it runs as it is.
 */
export function answerFirst(): void {
  try {
    setPriority(answersFirst);
  } catch {
    // Without CAP_SYS_NICE; only latency under load is lost.
  }
}
