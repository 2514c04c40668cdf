/** What changes of networks need of containers. */
import type { EndpointSettings } from '../../api/types/network.ts';
import type { DnsWishes } from './types.ts';

export interface Member {
  readonly id: string;
  /** Without the leading slash. */
  readonly name: string;
  readonly hostname: string;
  readonly domainname: string;
  readonly networkMode: string;
  readonly dns: DnsWishes;
  /** Pid of its first process; null: it does not run. */
  readonly pid: number | null;
  /** Networks that it joins when it starts, by the name or id that was given. */
  readonly wanted: Readonly<Record<string, EndpointSettings>>;
  /** Networks of the running container, by name. */
  readonly current: Readonly<Record<string, EndpointSettings>>;
}

export interface MemberChange {
  wanted?: Record<string, EndpointSettings>;
  current?: Record<string, EndpointSettings>;
}

export interface Members {
  /** Pid of a container's first process; null: it does not run. */
  pidOf(id: string): number | null;
  /**
   * Calls `work` while nothing else happens to the container, and keeps the change that it gives.
   * @param reference name, id or unique prefix. Error: `not-found` `No such container: x`
   */
  change(reference: string, work: (member: Member) => Promise<MemberChange>): Promise<void>;
}
