import { errorKind } from '../../api/errors.ts';
import type { HealthcheckResult } from '../../api/types/container.ts';
import { Semaphore } from '../../base/semaphore.ts';
import { sigkill } from '../../wire/signals.ts';
import type { Container } from '../containers/container.ts';
import type { ContainerContext, LifeObserver } from '../containers/context.ts';
import { restartContainer, stopContainer } from '../containers/stop.ts';
import { HealthMonitor } from './health-monitor.ts';
import { healthAfter, healthAtStart } from './health-state.ts';
import { endLeftoverProbes } from './leftover-probes.ts';
import { type UnhealthyAction, unhealthyAction } from './on-unhealthy.ts';
import { type ProbeExec, runProbe } from './probe.ts';
import { type ProbePlan, probePlan } from './probe-plan.ts';

const startsAtOnce = 8;

/**
 * Looks after the health of every running container that has a check: runs it, keeps the books (`record.health`), publishes what
 * changes, and does what `--on-unhealthy` asks for. The container verbs set the health of a start and of an end.
 */
export class HealthService implements LifeObserver {
  readonly #context: ContainerContext;
  readonly #exec: ProbeExec;
  /** Containers that were started together are looked at together: a storm of processes would hold up everybody else. */
  readonly #turns = new Semaphore(startsAtOnce);
  readonly #since = Date.now();
  readonly #monitors = new Map<string, HealthMonitor>();

  constructor(context: ContainerContext, exec: ProbeExec) {
    this.#context = context;
    this.#exec = exec;
    context.observers.push(this);
  }

  /** Begins to look; also where the container ran before the engine did. */
  watched(container: Container): void {
    this.unwatched(container);
    const plan = probePlan(container.record.config);
    if (!plan) return;
    // A container of an older engine has no health in its books yet.
    container.record.health ??= healthAtStart(container.record.config, null);
    const startedAt = Date.parse(container.record.startedAt);
    // One that ran before this engine did may have a probe of the engine before.
    if (startedAt < this.#since) this.#context.background('end probes', endLeftoverProbes(container.pid, plan.command));
    const monitor = new HealthMonitor({
      plan,
      startedAt,
      isStarting: () => container.record.health?.Status === 'starting',
      probe: (signal) => runProbe(this.#exec, container.id, { plan, signal, turns: this.#turns }),
      onResult: (result, age) => this.#enter(container, result, { plan, age }),
    });
    this.#monitors.set(container.id, monitor);
  }

  /** Ends it: the container is paused, has ended, or the engine stops. */
  unwatched(container: Container): void {
    this.#monitors.get(container.id)?.stop();
    this.#monitors.delete(container.id);
  }

  #enter(container: Container, result: HealthcheckResult, at: { plan: ProbePlan; age: number }): void {
    const { record } = container;
    const before = record.health;
    if (!before) return;
    const after = healthAfter(before, result, at);
    record.health = after;
    if (after.Status === before.Status) return;
    // Only a change is worth a write: the results between two of them are lost with the engine.
    this.#context.saveFact(container);
    this.#context.publish(container, `health_status: ${after.Status}`);
    if (after.Status !== 'unhealthy') return;
    const action = unhealthyAction(record.hostConfig);
    if (action !== 'none')
      this.#context.background(`${action} unhealthy ${container.id}`, this.#act(container, action).catch(unlessOver));
  }

  async #act(container: Container, action: Exclude<UnhealthyAction, 'none'>): Promise<void> {
    const context = this.#context;
    const usual = { signal: '', timeout: null };
    switch (action) {
      case 'restart':
        return restartContainer(context, container.id, usual);
      case 'stop':
        return stopContainer(context, container.id, usual);
      case 'kill':
        // Nobody asked for its end by hand, so its restart policy decides what comes next.
        context.publish(container, 'kill', { signal: String(sigkill) });
        return context.dependencies.supervisor.signal(container.id, null, sigkill);
    }
  }
}

/** It ended by itself, or somebody stops, starts or removes it at the same time: then that is what happens. */
function unlessOver(error: unknown): void {
  const kind = errorKind(error);
  if (kind !== 'not-modified' && kind !== 'not-found' && kind !== 'conflict') throw error;
}
