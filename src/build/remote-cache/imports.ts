import { BerthError, errorMessage } from '../../api/errors.ts';
import type { BuildEvent } from '../../api/types/build.ts';
import { failpoint } from '../../base/failpoint.ts';
import type { Descriptor } from '../../oci/manifest.ts';
import type { StoredLayer } from '../../store/types.ts';
import type { Vertex } from '../graph/vertex.ts';
import { savedText } from '../ops/trees.ts';
import { type ForeignResults, type Layer, LostLayerError } from '../ops/values.ts';
import type { CacheRecord, SolveImports } from '../solve/cache.ts';
import type { CacheDocument } from './cache-document.ts';

/** A cache of another machine, read; its layers stay where they are. */
export interface OpenedCache {
  /** For people: `registry.example/app:cache`. */
  readonly name: string;
  readonly document: CacheDocument;
  /** What can be had, by diff id. */
  readonly blobs: ReadonlyMap<string, Descriptor>;
  /** Where the blobs are, where that is a registry: its domain and the repository's path. */
  readonly repository: { domain: string; path: string } | null;
  /** Brings a layer into the store. Errors: `invalid` for bytes that are not what they should be, and whatever the place says. */
  fetch(blob: Descriptor, diffId: string): Promise<unknown>;
}

export interface ImportsOptions {
  caches: readonly OpenedCache[];
  /** The layer, where it is on this machine. */
  stored(diffId: string): StoredLayer | null;
  event(event: BuildEvent): void;
  signal: AbortSignal;
}

export type NewRecord = CacheRecord & { description: string };

/** The caches that one build brings along. */
export class Imports implements SolveImports, ForeignResults {
  readonly #options: ImportsOptions;
  readonly #layers = new Map<string, Layer>();
  readonly #lost = new Set<string>();
  readonly #taken = new Map<string, NewRecord>();
  /** What brings layers of images that are not here. */
  readonly #bases = new Map<string, () => Promise<string>>();

  constructor(options: ImportsOptions) {
    this.#options = options;
  }

  /** No cache could be read. */
  get isEmpty(): boolean {
    return this.#options.caches.length === 0;
  }

  /** Steps that were found here, for the engine's own cache. */
  get taken(): ReadonlyMap<string, NewRecord> {
    return this.#taken;
  }

  find(key: string): (CacheRecord & { origin: string }) | null {
    for (const { name, document } of this.#options.caches) {
      const step = document.steps.get(key);
      if (!step || (this.#lost.has(step.layer) && !this.#options.stored(step.layer))) continue;
      return { result: savedText(step.layer, step.upon), created: step.created, origin: name };
    }
    return null;
  }

  took(key: string, { result, created }: CacheRecord, vertex: Vertex): void {
    this.#taken.set(key, { result, created, description: vertex.label.name });
  }

  /** An image's layers need not be here until somebody looks into one. @param bring fetches all of it */
  promise({ name, layers }: { name: string; layers: readonly string[] }, bring: () => Promise<unknown>): void {
    let brought: Promise<unknown> | null = null;
    for (const diffId of layers)
      this.#bases.set(diffId, async () => {
        brought ??= bring();
        await brought;
        const here = this.#options.stored(diffId);
        if (!here)
          throw new BerthError('unavailable', `${name} has become another image while it was built upon: build again`);
        return here.diff;
      });
  }

  layer(diffId: string): Layer | null {
    const known = this.#layers.get(diffId);
    if (known) return known;
    const base = this.#bases.get(diffId);
    const isPromised = this.#options.caches.some(({ document }) => document.layers.has(diffId));
    if (!base && (this.#lost.has(diffId) || !isPromised)) return null;
    let place: Promise<string> | null = null;
    const bring = (): Promise<string> => {
      place ??= base ? base() : this.#bring(diffId);
      place.catch(() => undefined); // whoever needs the layer hears of it
      return place;
    };
    const layer: Layer = { diffId: Promise.resolve(diffId), place: bring };
    this.#layers.set(diffId, layer);
    return layer;
  }

  contents(question: string): string | null {
    for (const { document } of this.#options.caches) {
      const known = document.contents.get(question);
      if (known !== undefined) return known;
    }
    return null;
  }

  /** The packed form of a layer that a cache has, and where it is. */
  blobOf(diffId: string): { blob: Descriptor; cache: OpenedCache } | null {
    for (const cache of this.#options.caches) {
      const blob = cache.blobs.get(diffId);
      if (blob) return { blob, cache };
    }
    return null;
  }

  /** Layers that cannot be had: their steps are not known here from now on. False: that was known. */
  forget(diffIds: readonly string[]): boolean {
    const before = this.#lost.size;
    for (const diffId of diffIds) {
      this.#lost.add(diffId);
      this.#layers.delete(diffId);
    }
    // The next pass takes what is still of use.
    this.#taken.clear();
    return this.#lost.size > before;
  }

  /** The first cache that really has the layer. */
  async #bring(diffId: string): Promise<string> {
    const { caches, stored, event, signal } = this.#options;
    let failure: unknown;
    for (const { name, blobs, fetch } of caches) {
      const here = stored(diffId);
      if (here) return here.diff;
      const blob = blobs.get(diffId);
      if (!blob) continue;
      try {
        await failpoint('cache.before-fetch');
        await fetch(blob, diffId);
        await failpoint('cache.after-fetch');
      } catch (error) {
        failure = error;
        if (signal.aborted) break;
        // A full disk is no fault of the cache.
        if (error instanceof BerthError && error.kind === 'unavailable') throw error;
        const message = `cache ${name}: layer ${blob.digest} cannot be used, its steps are done anew: ${errorMessage(error)}`;
        event({ type: 'warning', rule: null, message, line: 0 });
      }
    }
    const here = stored(diffId);
    if (here) return here.diff;
    throw new LostLayerError([diffId], failure);
  }
}
