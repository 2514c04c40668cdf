import type { Answer, Client } from '../client.ts';
import { pathName } from '../path.ts';

export interface LogsOptions {
  stdout: boolean;
  stderr: boolean;
  follow?: boolean;
  /** Unix seconds with fraction, as text. */
  since?: string;
  until?: string;
  timestamps?: boolean;
  details?: boolean;
  /** Last lines; `all`. */
  tail?: string;
}

/** The log: stdcopy frames, or the raw bytes of a terminal (the caller knows which from `inspect`). */
export function containerLogs(client: Client, id: string, options: LogsOptions): Promise<Answer> {
  const { stdout, stderr, follow, since, until, timestamps, details, tail } = options;
  return client.request({
    method: 'GET',
    path: `/containers/${pathName(id)}/logs`,
    query: {
      stdout: stdout || undefined,
      stderr: stderr || undefined,
      follow: follow || undefined,
      since,
      until,
      timestamps: timestamps || undefined,
      details: details || undefined,
      tail,
    },
    // Lines need not come as frames of their own: what belongs together may come together.
    headers: { 'Berth-Merge-Frames': '1' },
  });
}

/** Forgets what the container has written so far. Errors: `not-found`; `not-implemented` where nothing is kept. */
export async function clearLogs(client: Client, id: string): Promise<void> {
  await client.send({ method: 'POST', path: `/berth/v1/containers/${pathName(id)}/logs/clear` });
}
