/**
 * Work that several callers want at once is done once. Each caller may leave by its own signal; when the last one has left, the work
 * is aborted. Who comes late hears the last thing that was said.
 */
export class SharedWork<Result, Event> {
  readonly #flights = new Map<string, Flight<Result, Event>>();

  /** Keys of the work that goes on. */
  get size(): number {
    return this.#flights.size;
  }

  /**
   * Joins the work of `key`, or starts it. Gives its result; rejects with its error, or with the reason of the caller's own signal.
   * @param options.start is called once per piece of work; it must settle soon after its signal aborts
   */
  async join(
    key: string,
    options: {
      signal: AbortSignal;
      listener: (event: Event) => void;
      start: (context: { signal: AbortSignal; emit: (event: Event) => void }) => Promise<Result>;
    },
  ): Promise<Result> {
    options.signal.throwIfAborted();
    let flight = this.#flights.get(key);
    // Work that dies because everybody left still holds its files; the next one begins behind it.
    while (flight?.abort.signal.aborted) {
      await flight.result.catch(() => undefined);
      options.signal.throwIfAborted();
      flight = this.#flights.get(key);
    }
    flight ??= this.#begin(key, options.start);
    return this.#follow(flight, options);
  }

  #begin(
    key: string,
    start: (context: { signal: AbortSignal; emit: (event: Event) => void }) => Promise<Result>,
  ): Flight<Result, Event> {
    const abort = new AbortController();
    const listeners = new Set<(event: Event) => void>();
    const flight: Flight<Result, Event> = { abort, listeners, last: undefined, result: Promise.resolve() as never };
    const emit = (event: Event): void => {
      flight.last = { event };
      for (const listener of listeners) listener(event);
    };
    flight.result = Promise.resolve()
      .then(() => start({ signal: abort.signal, emit }))
      .finally(() => this.#flights.delete(key));
    // Followers look at it; without any of them its failure concerns nobody.
    flight.result.catch(() => undefined);
    this.#flights.set(key, flight);
    return flight;
  }

  async #follow(
    flight: Flight<Result, Event>,
    options: { signal: AbortSignal; listener: (event: Event) => void },
  ): Promise<Result> {
    const { signal, listener } = options;
    // A function of its own: one listener may follow twice.
    const hear = (event: Event): void => listener(event);
    flight.listeners.add(hear);
    if (flight.last) listener(flight.last.event);
    const { promise, reject } = Promise.withResolvers<never>();
    const leave = (): void => reject(signal.reason);
    signal.addEventListener('abort', leave, { once: true });
    try {
      return await Promise.race([flight.result, promise]);
    } finally {
      signal.removeEventListener('abort', leave);
      flight.listeners.delete(hear);
      if (flight.listeners.size === 0) flight.abort.abort(signal.reason);
    }
  }
}

interface Flight<Result, Event> {
  abort: AbortController;
  listeners: Set<(event: Event) => void>;
  last: { event: Event } | undefined;
  result: Promise<Result>;
}
