/** What the system routes need of the engine. */
import type { EventMessage } from '../../../api/types/events.ts';
import type { AuthConfig } from '../../../api/types/image.ts';
import type { AuthResponse, DiskUsage, DiskUsageType, SystemInfo, VersionInfo } from '../../../api/types/system.ts';

export interface SystemBackend {
  info(): Promise<SystemInfo>;
  version(): Promise<VersionInfo>;
  /** Only the named types. */
  diskUsage(types: ReadonlySet<DiskUsageType>): Promise<DiskUsage>;
  /** Asks the registry whether it takes these credentials. Errors: `unauthorized`, `unavailable`. */
  authenticate(auth: AuthConfig): Promise<AuthResponse>;
}

export interface EventsBackend {
  /** Past events and everything after them, with no gap between. */
  subscribe(subscriber: (event: EventMessage) => void): { past: readonly EventMessage[]; stop: () => void };
}
