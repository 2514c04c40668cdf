/** Job `layer-tar`: a layer's tar on standard output. */
import { chunksOf } from '../byte-source.ts';
import { dieWithEngine, put } from '../job-io.ts';
import { type LayerPlace, rebuildLayer } from '../rebuild-layer.ts';

export type LayerTarJob = LayerPlace;

export async function run(job: LayerTarJob): Promise<void> {
  dieWithEngine();
  for await (const chunk of chunksOf(rebuildLayer(job))) await put(chunk);
}
