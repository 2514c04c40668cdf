import type { ProgressMessage } from '../../api/types/progress.ts';
import type { Client } from '../client.ts';
import type { MessageStream } from '../messages.ts';

export interface LoadOptions {
  upload: AsyncIterable<Uint8Array>;
  quiet?: boolean;
  platform?: string;
}

/** The progress stream; read it with `finishWork` or `readMessages`. */
export function loadImages(client: Client, options: LoadOptions): Promise<MessageStream<ProgressMessage>> {
  const { upload, quiet, platform } = options;
  return client.request({
    method: 'POST',
    path: '/images/load',
    query: { quiet: quiet ?? false, platform },
    headers: { 'Content-Type': 'application/x-tar' },
    upload,
  });
}
