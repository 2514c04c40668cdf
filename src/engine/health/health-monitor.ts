import type { HealthcheckResult } from '../../api/types/container.ts';
import { nextProbeIn, type ProbePlan } from './probe-plan.ts';

export interface MonitorOptions {
  plan: ProbePlan;
  /** Milliseconds of the epoch. */
  startedAt: number;
  isStarting(): boolean;
  probe(signal: AbortSignal): Promise<HealthcheckResult>;
  /** @param startedAfter milliseconds between the container's start and the probe's */
  onResult(result: HealthcheckResult, startedAfter: number): void;
}

/** A longer timer would fire at once. */
const longestTimer = 2_147_483_647;

/** Looks at one container again and again until it is stopped; never twice at a time. */
export class HealthMonitor {
  readonly #options: MonitorOptions;
  readonly #abort = new AbortController();
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(options: MonitorOptions) {
    this.#options = options;
    this.#wait();
  }

  /** Nothing is told from now on; a probe under way is ended. */
  stop(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#abort.abort();
  }

  #age(): number {
    return Date.now() - this.#options.startedAt;
  }

  #wait(): void {
    const { plan, isStarting } = this.#options;
    const pause = Math.min(nextProbeIn(plan, isStarting(), this.#age()), longestTimer);
    this.#timer = setTimeout(() => void this.#look(), pause);
  }

  async #look(): Promise<void> {
    const age = this.#age();
    const result = await this.#options.probe(this.#abort.signal);
    if (this.#abort.signal.aborted) return;
    this.#options.onResult(result, age);
    // What the result led to may have stopped it.
    if (!this.#abort.signal.aborted) this.#wait();
  }
}
