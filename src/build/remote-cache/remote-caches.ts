/** Caches of other machines, for one build after another: read before its steps, written behind them. */
import { BerthError, errorMessage } from '../../api/errors.ts';
import type { BuildEvent, BuildOptions, CacheSource, CacheTarget } from '../../api/types/build.ts';
import { RegistryError, registryFailure } from '../../distribution/registry-errors.ts';
import type { Platform } from '../../oci/platform.ts';
import { parseReference, withDefaultTag } from '../../oci/reference.ts';
import type { ImageStore } from '../../store/image-store.ts';
import type { Lease } from '../../store/types.ts';
import type { ClientFolders } from './client-folders.ts';
import { Imports, type OpenedCache } from './imports.ts';
import type { LayerBlobs } from './layer-blobs.ts';
import { nameOfSource, openCache } from './open-cache.ts';
import { type BuildNotes, folderWriter, registryWriter, writeCache } from './write-cache.ts';

export interface CacheWork {
  /** Folders of the client; missing: it has none. */
  folders?: ClientFolders | undefined;
  auths: Readonly<Record<string, unknown>>;
  lease: Lease;
  signal: AbortSignal;
  event(event: BuildEvent): void;
}

type Outside = Exclude<CacheTarget, { type: 'inline' }>;

export class RemoteCaches {
  readonly #store: ImageStore;
  readonly #blobs: LayerBlobs;

  constructor(options: { store: ImageStore; blobs: LayerBlobs }) {
    this.#store = options.store;
    this.#blobs = options.blobs;
  }

  /** Reads what is there; what cannot be read is told and left out. Null: the build names no cache. Error: the signal's reason. */
  async open(options: BuildOptions, work: CacheWork & { platforms: readonly Platform[] }): Promise<Imports | null> {
    const { cacheFrom = [] } = options;
    if (cacheFrom.length === 0 || options.noCache) return null;
    const opened = await Promise.all(cacheFrom.map((source, number) => this.#open(source, number, work)));
    work.signal.throwIfAborted();
    return new Imports({
      caches: opened.filter((cache) => cache !== null),
      stored: (diffId) => this.#store.layer(diffId),
      event: work.event,
      signal: work.signal,
    });
  }

  /** Writes the caches that go somewhere else than into the image. Errors: why one cannot be written, where that matters. */
  async write(
    options: BuildOptions,
    { notes, imports }: { notes: BuildNotes; imports: Imports | null },
    work: CacheWork,
  ): Promise<void> {
    for (const [number, target] of (options.cacheTo ?? []).entries())
      if (target.type !== 'inline') await this.#write(target, number, { ...work, notes, imports });
  }

  async #open(
    source: CacheSource,
    number: number,
    work: CacheWork & { platforms: readonly Platform[] },
  ): Promise<OpenedCache | null> {
    const name = nameOfSource(source);
    const line = new Line(`import-cache-${number}`, `importing cache manifest from ${name}`, work.event);
    try {
      const { platforms, auths, lease, signal, folders = null } = work;
      const opened = await openCache(source, number, {
        store: this.#store,
        blobs: this.#blobs,
        folders,
        auths,
        platforms,
        lease,
        signal,
        status: (text, current, total) => work.event({ type: 'status', id: line.id, text, current, total }),
      });
      if (typeof opened === 'string') line.say(opened);
      line.end();
      return typeof opened === 'string' ? null : opened;
    } catch (error) {
      const why = isMissing(error) ? `${name}: not found` : errorMessage(registryFailure(error));
      line.fail(`failed to configure ${source.type} cache importer: ${why}`);
      return null;
    }
  }

  async #write(
    target: Outside,
    number: number,
    work: CacheWork & { notes: BuildNotes; imports: Imports | null },
  ): Promise<void> {
    const place = target.type === 'registry' ? 'registry' : 'client directory';
    const line = new Line(`export-cache-${number}`, `exporting cache to ${place}`, work.event);
    line.say('preparing build cache for export');
    try {
      await this.#writeTo(target, number, { ...work, tell: (text) => line.say(text) });
      line.end();
    } catch (error) {
      const why = errorMessage(registryFailure(error));
      line.fail(why);
      work.signal.throwIfAborted();
      if (target.ignoreError) return;
      const name = target.type === 'registry' ? target.reference : place;
      throw new BerthError('internal', `failed to export cache to ${name}: ${why}`, { cause: error });
    }
  }

  async #writeTo(
    target: Outside,
    number: number,
    work: CacheWork & { notes: BuildNotes; imports: Imports | null; tell(text: string): void },
  ): Promise<void> {
    const { notes, imports, lease, signal, folders, tell } = work;
    const options = { store: this.#store, blobs: this.#blobs, imports, form: target, lease, signal };
    if (target.type === 'local') {
      if (!folders) throw new BerthError('invalid', 'the client has no folders');
      return writeCache(folderWriter({ folders, number }, options), { notes, form: target }, tell);
    }
    const reference = withDefaultTag(parseReference(target.reference));
    const sources = this.#blobs.registry(reference, work.auths, 'pull,push');
    // Finds the endpoint that answers; what follows must not begin twice.
    await sources.use((repository) => repository.ping(signal), signal);
    await sources.use(
      (repository) => writeCache(registryWriter({ reference, repository }, options), { notes, form: target }, tell),
      signal,
    );
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof RegistryError && error.status === 404;
}

/** A line of the progress that is no step. */
class Line {
  readonly id: string;
  readonly #event: (event: BuildEvent) => void;

  constructor(id: string, name: string, event: (event: BuildEvent) => void) {
    this.id = id;
    this.#event = event;
    event({ type: 'vertices', vertices: [{ id, name }] });
    event({ type: 'started', id, time: Date.now() });
  }

  say(text: string): void {
    this.#event({ type: 'status', id: this.id, text });
  }

  end(): void {
    this.#event({ type: 'done', id: this.id, time: Date.now(), cached: false, reasons: [] });
  }

  fail(message: string): void {
    this.#event({ type: 'failed', id: this.id, time: Date.now(), message });
  }
}
