import { readFileSync, writeFileSync } from 'node:fs';
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
    // Where the kernel shares the processor between sessions first (sched(7), autogroup), the value counts inside of one only; the
    // session of somebody else, a shell, is left as it is.
    if (isSessionLeader()) writeFileSync('/proc/self/autogroup', String(answersFirst));
  } catch {
    // Without CAP_SYS_NICE, or a kernel without groups; only latency under load is lost.
  }
}

function isSessionLeader(): boolean {
  const [, , , session] = readFileSync('/proc/self/stat', 'latin1')
    .replace(/^.*\) /s, '')
    .split(' ');
  return Number(session) === process.pid;
}
