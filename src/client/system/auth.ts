import type { AuthConfig } from '../../api/types/image.ts';
import type { AuthResponse } from '../../api/types/system.ts';
import type { Client } from '../client.ts';

/** Checks credentials at their registry. Error: `unauthorized`. */
export function checkAuth(client: Client, body: Partial<AuthConfig>): Promise<AuthResponse> {
  return client.json({ method: 'POST', path: '/auth', json: body });
}
