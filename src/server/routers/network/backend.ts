/** What the network routes need of the engine. `id` is what the client wrote: name, id or unique id prefix. */
import type {
  EndpointSettings,
  NetworkCreateRequest,
  NetworkCreateResponse,
  NetworkInspect,
  NetworksPruneReport,
} from '../../../api/types/network.ts';
import type { Filters } from '../../../wire/filters.ts';

export interface NetworkQueries {
  /** Keys of `filters` are already checked. `Containers` may be filled, the server empties it. */
  list(filters: Filters): NetworkInspect[] | Promise<NetworkInspect[]>;
  /** Error: `not-found` `network x not found`. */
  inspect(id: string): NetworkInspect | Promise<NetworkInspect>;
}

export interface NetworkChanges {
  create(request: NetworkCreateRequest): Promise<NetworkCreateResponse>;
  remove(id: string): Promise<void>;
  connect(id: string, container: string, endpoint: EndpointSettings | null): Promise<void>;
  disconnect(id: string, container: string, force: boolean): Promise<void>;
  prune(filters: Filters): Promise<NetworksPruneReport>;
}

export interface NetworkBackend {
  queries: NetworkQueries;
  /** Null: not offered. */
  changes: NetworkChanges | null;
}
