import type { Answer, Client } from '../client.ts';

export interface LoadOptions {
  upload: AsyncIterable<Uint8Array>;
  quiet?: boolean;
  platform?: string;
}

/** The progress stream. */
export function loadImages(client: Client, options: LoadOptions): Promise<Answer> {
  const { upload, quiet, platform } = options;
  return client.request({
    method: 'POST',
    path: '/images/load',
    query: { quiet: quiet ?? false, platform },
    headers: { 'Content-Type': 'application/x-tar' },
    upload,
  });
}
