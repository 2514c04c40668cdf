import type { Client, HijackedStream } from '../client.ts';
import { pathName } from '../path.ts';

export interface AttachOptions {
  stdin?: boolean;
  stdout?: boolean;
  stderr?: boolean;
  /** Follow what comes; without it only the log is sent. */
  stream?: boolean;
  /** What was written so far, first. */
  logs?: boolean;
  detachKeys?: string;
}

/** Joins the container's streams: stdcopy frames, or a terminal's raw bytes. Works before the start too. */
export function attachContainer(client: Client, id: string, options: AttachOptions): Promise<HijackedStream> {
  const { stdin, stdout, stderr, stream, logs, detachKeys } = options;
  return client.hijack({
    method: 'POST',
    path: `/containers/${pathName(id)}/attach`,
    query: {
      stream: stream || undefined,
      stdin: stdin || undefined,
      stdout: stdout || undefined,
      stderr: stderr || undefined,
      logs: logs || undefined,
      detachKeys,
    },
  });
}
