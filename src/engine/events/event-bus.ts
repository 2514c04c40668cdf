import type { EventMessage, EventType } from '../../api/types/events.ts';
import { nowNanoseconds } from '../../base/clock.ts';

/** As many past events are kept for `--since`, as dockerd does. */
const keptEvents = 256;

/** Every change that a client may watch. Publishing never waits for a subscriber. */
export class EventBus {
  readonly #past: EventMessage[] = [];
  readonly #observers: ((event: EventMessage) => void)[] = [];
  readonly #subscribers = new Set<(event: EventMessage) => void>();
  #last = 0n;

  publish(type: EventType, action: string, id: string, attributes: Record<string, string> = {}): void {
    // Strictly increasing, so that `--since <timeNano>` neither repeats nor loses an event.
    const now = nowNanoseconds();
    this.#last = now > this.#last ? now : this.#last + 1n;
    const event: EventMessage = {
      Type: type,
      Action: action,
      Actor: { ID: id, Attributes: attributes },
      scope: 'local',
      time: Number(this.#last / 1_000_000_000n),
      timeNano: this.#last,
    };
    this.#past.push(event);
    if (this.#past.length > keptEvents) this.#past.shift();
    for (const observer of this.#observers) observer(event);
    for (const subscriber of this.#subscribers) subscriber(event);
  }

  /** For the engine's own services, as long as it lives: hears every event, and counts as nobody's listener. */
  observe(observer: (event: EventMessage) => void): void {
    this.#observers.push(observer);
  }

  get listenerCount(): number {
    return this.#subscribers.size;
  }

  /** Past events and everything after them, with no gap between. Call `stop` to end. */
  subscribe(subscriber: (event: EventMessage) => void): { past: readonly EventMessage[]; stop: () => void } {
    this.#subscribers.add(subscriber);
    return { past: [...this.#past], stop: () => this.#subscribers.delete(subscriber) };
  }
}
