import type { ContainerConfig, Health, HealthcheckResult } from '../../api/types/container.ts';
import { type ProbePlan, probePlan } from './probe-plan.ts';

/** Results that are kept. */
const keptResults = 5;

/** The health of a container that has just been started; its old results are kept, as with Docker. Null: nobody looks. */
export function healthAtStart(config: ContainerConfig, before: Health | null): Health | null {
  if (!probePlan(config)) return null;
  return { Status: 'starting', FailingStreak: 0, Log: before?.Log ?? [] };
}

/** Nobody looks any more, because the container stands still or has ended: Docker calls that unhealthy. */
export function healthUnwatched(health: Health | null): Health | null {
  return health && { ...health, Status: 'unhealthy' };
}

/**
 * What one result makes of a container's health. A failure while it starts counts only after the start period.
 * @param age milliseconds between the container's start and the probe's
 */
export function healthAfter(before: Health, result: HealthcheckResult, at: { plan: ProbePlan; age: number }): Health {
  const Log = [...before.Log, result].slice(-keptResults);
  if (result.ExitCode === 0) return { Status: 'healthy', FailingStreak: 0, Log };
  if (before.Status === 'starting' && at.age < at.plan.startPeriod) return { ...before, Log };
  const FailingStreak = before.FailingStreak + 1;
  return { Status: FailingStreak >= at.plan.retries ? 'unhealthy' : before.Status, FailingStreak, Log };
}
