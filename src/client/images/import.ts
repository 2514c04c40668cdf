import type { ProgressMessage } from '../../api/types/progress.ts';
import type { Client } from '../client.ts';
import type { MessageStream } from '../messages.ts';

export interface ImportOptions {
  /** `-`: the upload; else an address that the engine fetches. */
  source: string;
  repository?: string;
  tag?: string;
  message?: string;
  /** Dockerfile instructions. */
  changes?: readonly string[];
  platform?: string;
  upload?: AsyncIterable<Uint8Array>;
}

/** The progress stream; read it with `finishWork` or `readMessages`. */
export function importImage(client: Client, options: ImportOptions): Promise<MessageStream<ProgressMessage>> {
  const { source, repository, tag, message, changes, platform, upload } = options;
  const query = { fromSrc: source, repo: repository, tag, message, changes, platform };
  return client.request({ method: 'POST', path: '/images/create', query, upload });
}
