/** Events: wire types of Docker's API 1.52, with Docker's own keys. */

export type EventType = 'container' | 'image' | 'network' | 'volume' | 'daemon' | 'builder';

/** One line of `GET /events`. Clients before 1.52 also get `status`, `id` and `from` (`src/api/compat/events.ts` adds them). */
export interface EventMessage {
  Type: EventType;
  /** `start`, `die`, `health_status: healthy`, … */
  Action: string;
  Actor: { ID: string; Attributes: Record<string, string> };
  scope: 'local';
  /** Unix seconds. */
  time: number;
  /** Unix nanoseconds. */
  timeNano: bigint;
}
