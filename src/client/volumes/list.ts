import type { VolumeListResponse } from '../../api/types/volume.ts';
import { encodeFilters, type Filters, noFilters } from '../../wire/filters.ts';
import type { Client } from '../client.ts';

export function listVolumes(client: Client, filters: Filters = noFilters): Promise<VolumeListResponse> {
  return client.json({ method: 'GET', path: '/volumes', query: { filters: encodeFilters(filters) } });
}
