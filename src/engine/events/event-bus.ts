/** One entry of Docker's event stream, with Docker's keys. `timeNano` is exact. */
export interface EngineEvent {
  Type: 'container' | 'image' | 'network' | 'volume' | 'daemon' | 'builder';
  Action: string;
  Actor: { ID: string; Attributes: Record<string, string> };
  scope: 'local';
  /** Unix seconds. */
  time: number;
  /** Unix nanoseconds. */
  timeNano: bigint;
}

/** As many past events are kept for `--since`, as dockerd does. */
const keptEvents = 256;

/** Every change that a client may watch. Publishing never waits for a subscriber. */
export class EventBus {
  readonly #past: EngineEvent[] = [];
  readonly #observers: ((event: EngineEvent) => void)[] = [];
  readonly #subscribers = new Set<(event: EngineEvent) => void>();
  #last = 0n;

  publish(type: EngineEvent['Type'], action: string, id: string, attributes: Record<string, string> = {}): void {
    // Strictly increasing, so that `--since <timeNano>` neither repeats nor loses an event.
    const now = BigInt(Date.now()) * 1_000_000n + (process.hrtime.bigint() % 1_000_000n);
    this.#last = now > this.#last ? now : this.#last + 1n;
    const event: EngineEvent = {
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
  observe(observer: (event: EngineEvent) => void): void {
    this.#observers.push(observer);
  }

  get listenerCount(): number {
    return this.#subscribers.size;
  }

  /** Past events and everything after them, with no gap between. Call `stop` to end. */
  subscribe(subscriber: (event: EngineEvent) => void): { past: readonly EngineEvent[]; stop: () => void } {
    this.#subscribers.add(subscriber);
    return { past: [...this.#past], stop: () => this.#subscribers.delete(subscriber) };
  }
}
