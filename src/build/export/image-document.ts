import { type ContainerDefaults, defaultsKeys, type HistoryEntry } from '../../oci/image-config.ts';
import type { ImagePlan } from '../dockerfile/convert/plan.ts';
import type { Vertex } from '../graph/vertex.ts';

export interface BuiltTree {
  /** Of all layers, the base first. */
  diffIds: readonly string[];
  /** Unix milliseconds at which a vertex was done. */
  created: (vertex: Vertex) => number;
  /** Seconds; every time that the build writes down. Null: the real ones. */
  epoch: number | null;
}

/** What BuildKit writes behind every line of a history. */
const comment = 'buildkit.dockerfile.v0';

/**
 * The image's config as BuildKit writes it. Times are those of the work, so that a build that did nothing anew gives the same image again. Keys stand
 * in the order of Docker's own types.
 */
export function imageDocument(plan: ImagePlan, tree: BuiltTree): Uint8Array {
  const base = plan.base?.config;
  const fixed = tree.epoch === null ? null : new Date(tree.epoch * 1000).toISOString();
  let last = base?.created ?? base?.history?.at(-1)?.created ?? new Date(0).toISOString();
  const history: HistoryEntry[] = [...(base?.history ?? [])];
  for (const { createdBy, vertex } of plan.history) {
    if (vertex) last = new Date(tree.created(vertex)).toISOString();
    history.push({
      created: fixed ?? last,
      created_by: createdBy,
      comment,
      ...(vertex === null && { empty_layer: true }),
    });
  }
  const document = {
    architecture: plan.architecture,
    ...(plan.author !== undefined && { author: plan.author }),
    config: ordered(plan.config),
    created: fixed ?? last,
    history,
    os: plan.os,
    ...(base?.['os.version'] && { 'os.version': base['os.version'] }),
    rootfs: { type: 'layers', diff_ids: tree.diffIds },
    ...(plan.variant && { variant: plan.variant }),
  };
  return Buffer.from(JSON.stringify(document));
}

function ordered(config: ContainerDefaults): object {
  const result: Record<string, unknown> = {};
  for (const key of defaultsKeys) {
    const value = config[key];
    if (value === undefined || value === null || value === '' || value === false) continue;
    // Go writes the keys of its maps in order.
    const isMap = typeof value === 'object' && !Array.isArray(value) && key !== 'Healthcheck';
    result[key] = isMap ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) : value;
  }
  return result;
}
