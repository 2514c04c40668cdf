/** Layers while builds make them. */
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256 } from '../../oci/digest.ts';
import type { ImageStore } from '../../store/image-store.ts';
import type { WriteBack } from '../../store/native-helper.ts';
import type { DraftLayer, Lease } from '../../store/types.ts';
import type { Saved } from '../solve/runner.ts';
import { type BuildSession, type BuildValue, identityOf, type Layer, treeOf } from './values.ts';

/** Diff id of a layer that changes nothing: a tar of two empty blocks. */
const emptyLayer = 'sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef';

/** Milliseconds; steps that take less write little. */
const longStep = 150;

/** A layer that a step writes. */
export interface LayerWork {
  /** Directories below, the top first; at least one. */
  lower: readonly string[];
  upper: string;
  work: string;
  /** An empty directory that may be mounted over. */
  scratch: string;
}

/**
 * Makes layers in their places. What is made is held by one lease while any build runs, because two builds may share a step and either may end
 * first; drafts that became no layers go when the last build has ended.
 */
export class LayerTrees {
  readonly #store: ImageStore;
  #lease: Promise<Lease> | null = null;
  #builds = 0;
  #left: DraftLayer[] = [];
  /** What still looks at layers: their digests, what writes them to disk, and what clears up behind them. */
  readonly #sealing = new Set<Promise<unknown>>();

  constructor(store: ImageStore) {
    this.#store = store;
  }

  /** Runs a build; what it makes stays at least until it is over. */
  async during<T>(build: (lease: Lease) => Promise<T>): Promise<T> {
    this.#builds++;
    this.#lease ??= this.#store.lease('build');
    const lease = await this.#lease;
    try {
      return await build(lease);
    } finally {
      if (--this.#builds === 0) await this.#end(lease);
    }
  }

  /** Layers that the store or a cache of the build has, by diff id, the base first. Null: one of them is gone. */
  stored(diffIds: readonly string[], { lease, foreign }: Pick<BuildSession, 'lease' | 'foreign'>): Layer[] | null {
    lease.hold(...diffIds);
    const layers: Layer[] = [];
    for (const diffId of diffIds) {
      const stored = this.#store.layer(diffId);
      const layer = stored ? layerAt(stored.diff, Promise.resolve(diffId)) : foreign?.layer(diffId);
      if (!layer) return null;
      layers.push(layer);
    }
    return layers;
  }

  /**
   * Lets `write` fill a new layer above `lower`. The layer can be built upon as soon as this resolves; its digest follows. What fails leaves
   * nothing.
   * @param latest seconds; files that are newer get this time
   */
  async make(
    options: { lower: readonly string[]; latest: number | null; lease: Lease },
    write: (work: LayerWork) => Promise<void>,
  ): Promise<Layer> {
    const draft = this.#store.draftLayer();
    const workRoot = join(options.lease.directory, `work-${draft.number}`);
    const work = join(workRoot, 'work');
    const empty = join(workRoot, 'empty');
    // Not recursive: a step that begins when its build is over must not bring the directory of the lease back.
    await mkdir(workRoot, { mode: 0o700 });
    await mkdir(draft.diff, { recursive: true, mode: 0o755 });
    await mkdir(work, { mode: 0o700 });
    // Overlay wants a lower directory even where nothing lies below.
    await mkdir(empty, { mode: 0o755 });
    const scratch = join(workRoot, 'scratch');
    await mkdir(scratch, { mode: 0o700 });
    const lower = options.lower.length > 0 ? options.lower : [empty];
    try {
      await this.#writtenBack(draft.diff, () => write({ lower, upper: draft.diff, work, scratch }));
    } catch (error) {
      this.#left.push(draft);
      throw error;
    }
    const diffId = this.#seal(draft, options);
    // Whoever needs the digest hears of it, and what stays of the work goes with the lease.
    this.#await(diffId);
    this.#await(rm(workRoot, { recursive: true, force: true }));
    return layerAt(draft.diff, diffId);
  }

  /** The last build ends after it, however it ends. */
  #await(work: Promise<unknown>): void {
    this.#sealing.add(work);
    work.catch(() => undefined).finally(() => this.#sealing.delete(work));
  }

  /** What a long step writes goes to disk meanwhile, and what is left while its digest is taken: the image waits for both. */
  async #writtenBack(directory: string, write: () => Promise<void>): Promise<void> {
    let writeBack: WriteBack | null = null;
    const timer = setTimeout(() => {
      writeBack = this.#store.helper.writeBack(directory);
      this.#await(writeBack.ended);
    }, longStep);
    try {
      await write();
      (writeBack as WriteBack | null)?.finish();
    } catch (error) {
      (writeBack as WriteBack | null)?.stop();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  async #seal(draft: DraftLayer, options: { latest: number | null; lease: Lease }): Promise<string> {
    const isEmpty = (await readdir(draft.diff)).length === 0;
    const known = isEmpty ? this.#store.layer(emptyLayer) : null;
    if (known) {
      options.lease.hold(emptyLayer);
      this.#left.push(draft);
      return emptyLayer;
    }
    const { diffId, adopted } = await this.#store.sealLayer(draft, { lease: options.lease, latest: options.latest });
    if (!adopted) this.#left.push(draft);
    return diffId;
  }

  async #end(lease: Lease): Promise<void> {
    await Promise.allSettled(this.#sealing);
    // Another build may have begun meanwhile: it goes on with the lease.
    if (this.#builds > 0) return;
    this.#lease = null;
    const left = this.#left;
    this.#left = [];
    await this.#store.dropLayers(left);
    await lease.release();
    await this.#store.sweep();
  }
}

/** A layer that is on this machine. */
function layerAt(diff: string, diffId: Promise<string>): Layer {
  return { place: () => Promise.resolve(diff), diffId };
}

/**
 * What the cache keeps of a step: the diff id of its layer, and a digest of the trees that it could look into. A step below that is done again may give
 * something else, and then this layer does not fit upon it.
 */
export async function savedLayer(value: BuildValue, seen: readonly BuildValue[]): Promise<string | null> {
  const top = await treeOf(value).at(-1)?.diffId;
  if (top === undefined) return null;
  return savedText(top, seen.length === 0 ? null : await digestOfTrees(seen));
}

export function savedText(diffId: string, upon: string | null): string {
  return upon === null ? diffId : `${diffId} ${upon}`;
}

/** What stands in the text: the layer's diff id, and the digest of what it was made upon; null: of nothing. */
export function parseSaved(text: string): { diffId: string; upon: string | null } {
  const [diffId = '', upon = null] = text.split(' ');
  return { diffId, upon };
}

/** The other way: the layer that a step made of these trees; null: it is gone, or was made of others. */
export async function restoredLayer(
  trees: LayerTrees,
  { text, session }: Pick<Saved<BuildValue, BuildSession>, 'text' | 'session'>,
  seen: readonly BuildValue[],
): Promise<readonly Layer[] | null> {
  const { diffId, upon } = parseSaved(text);
  if (upon !== null && upon !== (await digestOfTrees(seen))) return null;
  return trees.stored([diffId], session);
}

async function digestOfTrees(values: readonly BuildValue[]): Promise<string> {
  const identities = await Promise.all(values.map((value) => identityOf(treeOf(value))));
  return sha256(identities.join('\n'));
}
