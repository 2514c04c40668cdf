import type { ContainerConfig } from '../../api/types/container.ts';

/** How a container's health is looked at; times in milliseconds. */
export interface ProbePlan {
  command: string[];
  interval: number;
  timeout: number;
  startPeriod: number;
  startInterval: number;
  /** Failures in a row that mean unhealthy. */
  retries: number;
}

const defaults = { interval: 30_000, timeout: 30_000, startInterval: 5_000, retries: 3 };
const nanosecondsPerMillisecond = 1_000_000;

/** The check of a configuration, with Docker's defaults. Null: there is none, or it is of no known kind. */
export function probePlan(config: Pick<ContainerConfig, 'Healthcheck' | 'Shell'>): ProbePlan | null {
  const check = config.Healthcheck;
  const [kind, ...words] = check?.Test ?? [];
  if (!check || (kind !== 'CMD' && kind !== 'CMD-SHELL')) return null;
  const shell = config.Shell?.length ? config.Shell : ['/bin/sh', '-c'];
  return {
    command: kind === 'CMD-SHELL' ? [...shell, ...words] : words,
    interval: milliseconds(check.Interval, defaults.interval),
    timeout: milliseconds(check.Timeout, defaults.timeout),
    startPeriod: milliseconds(check.StartPeriod, 0),
    startInterval: milliseconds(check.StartInterval, defaults.startInterval),
    retries: check.Retries && check.Retries > 0 ? check.Retries : defaults.retries,
  };
}

function milliseconds(value: number | bigint | undefined, fallback: number): number {
  return value ? Number(value) / nanosecondsPerMillisecond : fallback;
}

/** Milliseconds until the next look. @param age milliseconds since the container's start */
export function nextProbeIn(plan: ProbePlan, isStarting: boolean, age: number): number {
  return isStarting && age < plan.startPeriod ? plan.startInterval : plan.interval;
}
