import type { Readable } from 'node:stream';
import type { Platform } from '../../api/types/image.ts';
import type { ProgressSink } from '../../api/types/progress.ts';
import { canonicalString, type Reference } from '../../oci/reference.ts';
import { applyChanges } from './changes.ts';
import { type ImageContext, publishImageEvent, sweepSoon } from './image-context.ts';

export interface ImportRequest {
  /** The root file system: a tar, plain or packed. */
  source: Readable;
  /** The name; null: none. */
  target: Reference | null;
  message: string;
  /** Dockerfile instructions that change the config. */
  changes: string[];
  platform: Platform | null;
  progress: ProgressSink;
  signal: AbortSignal;
}

/** `POST /images/create?fromSrc=`: an image of one layer; gives its id. Errors: `invalid`, `cancelled`. */
export async function importImage(context: ImageContext, request: ImportRequest): Promise<string> {
  const config = applyChanges({}, request.changes);
  const { store } = context;
  const lease = await store.lease('import');
  try {
    const layer = await store.ingestLayer({
      source: { kind: 'stream', stream: request.source },
      lease,
      digest: null,
      size: null,
      diffId: null,
      signal: request.signal,
    });
    const created = new Date().toISOString();
    const platform = request.platform ?? context.platform;
    const document = {
      architecture: platform.architecture,
      comment: request.message,
      config: {
        Env: null,
        Cmd: null,
        Entrypoint: null,
        Volumes: null,
        WorkingDir: '',
        User: '',
        OnBuild: null,
        Labels: null,
        ...config,
      },
      created,
      history: [{ created, comment: request.message }],
      os: platform.os,
      rootfs: { type: 'layers', diff_ids: [layer.diffId] },
      ...(platform.variant && { variant: platform.variant }),
    };
    const { id } = await store.commitImage({
      config: Buffer.from(JSON.stringify(document)),
      references: request.target ? [canonicalString(request.target)] : [],
      lease,
    });
    publishImageEvent(context, 'import', { id, labels: config.Labels ?? null });
    return id;
  } finally {
    await lease.release();
    sweepSoon(context);
  }
}
