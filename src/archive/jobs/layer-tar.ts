/** Job `layer-tar`: a layer's tar on standard output. */
import { createHash } from 'node:crypto';
import { BerthError } from '../../api/errors.ts';
import { dieWithEngine, put } from '../job-io.ts';
import { rebuildLayer } from '../rebuild-layer.ts';

export interface LayerTarJob {
  helper: string;
  directory: string;
  diffId: string;
}

export async function run(job: LayerTarJob): Promise<void> {
  dieWithEngine();
  const hash = createHash('sha256');
  for await (const chunk of rebuildLayer(job.helper, job.directory)) {
    hash.update(chunk);
    await put(chunk);
  }
  const digest = `sha256:${hash.digest('hex')}`;
  if (digest !== job.diffId)
    throw new BerthError('internal', `layer ${job.diffId} of the store has the content ${digest}`);
}
