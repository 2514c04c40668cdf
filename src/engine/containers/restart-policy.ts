import type { RestartPolicy } from '../../api/types/container.ts';

/** Milliseconds of the first wait; it doubles with each restart in a row. */
const firstDelay = 100;
const longestDelay = 60_000;
/** A container that ran this long, in milliseconds, begins anew with the first wait. */
const stableAfter = 10_000;

/** What the decision hangs on. */
export interface ExitFacts {
  policy: RestartPolicy;
  exitCode: number;
  /** Somebody asked for it to end. */
  stoppedByUser: boolean;
  /** Restarts so far. */
  restartCount: number;
}

/** Whether a container that ended by itself is started again. */
export function shouldRestart(facts: ExitFacts): boolean {
  if (facts.stoppedByUser) return false;
  switch (facts.policy.Name) {
    case 'always':
    case 'unless-stopped':
      return true;
    case 'on-failure':
      return (
        facts.exitCode !== 0 &&
        (facts.policy.MaximumRetryCount === 0 || facts.restartCount < facts.policy.MaximumRetryCount)
      );
    default:
      return false;
  }
}

/** Milliseconds to wait. @param last the previous wait, 0 for none @param ranFor milliseconds that it lived */
export function restartDelay(last: number, ranFor: number): number {
  if (last === 0 || ranFor >= stableAfter) return firstDelay;
  return Math.min(last * 2, longestDelay);
}

/** Whether a container that does not run is started with the engine, as after a reboot. `always` means what it says. */
export function startsWithEngine(facts: ExitFacts): boolean {
  return facts.policy.Name === 'always' || shouldRestart(facts);
}
