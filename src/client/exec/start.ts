import type { ExecStartRequest } from '../../api/types/exec.ts';
import type { Client, HijackedStream } from '../client.ts';

/** Starts a command and joins its streams: stdcopy frames, or a terminal's raw bytes. */
export function startExec(client: Client, id: string, body: Partial<ExecStartRequest>): Promise<HijackedStream> {
  return client.hijack({ method: 'POST', path: `/exec/${id}/start`, json: body });
}

/** Starts a command and leaves it alone. */
export async function startExecDetached(client: Client, id: string, body: Partial<ExecStartRequest>): Promise<void> {
  await client.send({ method: 'POST', path: `/exec/${id}/start`, json: { ...body, Detach: true } });
}
