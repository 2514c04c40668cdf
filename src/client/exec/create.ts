import type { ExecCreateRequest, ExecCreateResponse } from '../../api/types/exec.ts';
import type { Client } from '../client.ts';
import { pathName } from '../path.ts';

/** Errors: `not-found`; `conflict` where the container does not run. */
export async function createExec(client: Client, container: string, body: Partial<ExecCreateRequest>): Promise<string> {
  const path = `/containers/${pathName(container)}/exec`;
  const { Id } = await client.json<ExecCreateResponse>({ method: 'POST', path, json: body });
  return Id;
}
