/** The builder: a Dockerfile and its client in, an image out. */
import { BerthError } from '../api/errors.ts';
import type { BuildCall, BuildOptions, BuildReport } from '../api/types/build.ts';
import { choosePlatform, hostPlatform } from '../oci/platform.ts';
import { canonicalString, parseReference, withDefaultTag } from '../oci/reference.ts';
import type { StepRunner } from '../oci/step.ts';
import type { BuildCacheTables } from '../store/build-cache.ts';
import type { ImageStore } from '../store/image-store.ts';
import type { Lease, NewTarget } from '../store/types.ts';
import { withExcerpt } from './build-error.ts';
import type { BuildClient, BuildWork, Built, BuiltImage, FindImage } from './build-work.ts';
import { imageDocument } from './export/image-document.ts';
import { inOrder, type Vertex } from './graph/vertex.ts';
import { CopyRunner, DirectoryRunner } from './ops/copy.ts';
import { ExecRunner } from './ops/exec.ts';
import { ImageRunner, MergeRunner, SourceRunner } from './ops/sources.ts';
import { MountMaker } from './ops/step-mounts.ts';
import { StoredCache } from './ops/stored-cache.ts';
import { LayerTrees } from './ops/trees.ts';
import { type BuildSession, type BuildValue, type RemoteFiles, treeOf } from './ops/values.ts';
import { epochOf, Planner, type PlatformPlan, platformsOf } from './planner.ts';
import { type CacheDocument, cacheWishes, withInlineCache } from './remote-cache/cache-document.ts';
import type { Imports } from './remote-cache/imports.ts';
import type { LayerBlobs } from './remote-cache/layer-blobs.ts';
import { RemoteCaches } from './remote-cache/remote-caches.ts';
import { notesOf, solveThrough } from './remote-cache/solve-through.ts';
import { cacheOf } from './remote-cache/write-cache.ts';
import type { FileSource } from './session/file-source.ts';
import type { TreeAttributes } from './session/layered-files.ts';
import type { Solved } from './solve/runner.ts';
import { Solver } from './solve/solver.ts';
import { teller } from './tell.ts';

export interface BuilderOptions {
  store: ImageStore;
  tables: BuildCacheTables;
  steps: StepRunner;
  /** Architectures of other processors whose programs run here all the same. */
  interpreted(): Promise<ReadonlySet<string>>;
  remote: RemoteFiles;
  /** Moves layers between registries and the store, for caches of other machines. */
  blobs: LayerBlobs;
  /** Where the caches of RUN --mount=type=cache are kept. */
  mountDirectory: string;
  /** Bytes that layers may take which only the cache has; beyond that the oldest go. 0: no limit. */
  keepBytes: number;
  attributes: TreeAttributes;
  findImage: FindImage;
  /** Tells the rest of the engine about an image. */
  published(id: string, names: readonly string[]): void;
  report(message: string, error: unknown): void;
}

/** So often what a build has done so far is written down. */
const savingMilliseconds = 5000;

export class Builder {
  readonly #options: BuilderOptions;
  readonly #trees: LayerTrees;
  readonly #cache: StoredCache;
  readonly #caches: RemoteCaches;
  readonly #planner: Planner;
  readonly #solver: Solver<BuildValue, BuildSession>;
  readonly #closing = new AbortController();
  readonly #running = new Set<Promise<unknown>>();

  constructor(options: BuilderOptions) {
    const { store, tables, steps, attributes } = options;
    this.#options = options;
    this.#trees = new LayerTrees(store);
    this.#cache = new StoredCache(store, tables);
    this.#caches = new RemoteCaches(options);
    this.#planner = new Planner(options.findImage);
    const trees = this.#trees;
    const mounts = new MountMaker({ directory: options.mountDirectory, helper: store.helper, attributes });
    const files = { trees, helper: store.helper, contents: tables, attributes };
    this.#solver = new Solver<BuildValue, BuildSession>({
      cache: this.#cache,
      runners: {
        image: new ImageRunner(trees),
        source: new SourceRunner(),
        exec: new ExecRunner({ trees, steps, mounts, interpreted: options.interpreted }),
        copy: new CopyRunner(files),
        directory: new DirectoryRunner(files),
        merge: new MergeRunner(),
      },
    });
  }

  /**
   * Builds and gives the result to `use` while everything of it is held. Errors: `BuildError` with the lines it is about; the signal's reason. What
   * was done before a failure stays in the cache.
   */
  build<T>(
    options: BuildOptions,
    client: BuildClient,
    work: BuildWork & { use: (built: Built) => Promise<T> },
  ): Promise<T> {
    const signal = AbortSignal.any([work.signal, this.#closing.signal]);
    const building = this.#trees.during(async (lease) => {
      // A long build that ends with the engine has not been in vain.
      const saving = setInterval(() => {
        if (this.#cache.isDirty)
          void this.#cache.flush().catch((error: unknown) => this.#options.report('build cache', error));
      }, savingMilliseconds);
      const inner = { ...work, signal, lease, folders: client.folders };
      let imports: Imports | null = null;
      try {
        imports = await this.#caches.open(options, { ...inner, platforms: platformsOf(options) });
        const built = await this.#build(usable(options, imports), client, { ...inner, imports });
        const result = await work.use(built);
        if (built.notes) await this.#caches.write(options, { notes: built.notes, imports }, inner);
        return result;
      } finally {
        clearInterval(saving);
        await this.#solver.settled();
        for (const [key, record] of imports?.taken ?? []) this.#cache.put(key, record);
        await this.#cache.flush().catch((error: unknown) => this.#options.report('build cache', error));
        await this.#collect().catch((error: unknown) => this.#options.report('build cache', error));
      }
    });
    this.#running.add(building);
    // Its caller hears of a failure.
    building.catch(() => undefined).finally(() => this.#running.delete(building));
    return building;
  }

  /** Says something about the Dockerfile and builds nothing. Errors as of `build`, but `check` tells of them too. */
  report(
    call: Exclude<BuildCall, 'build'>,
    options: BuildOptions,
    work: BuildWork & { client: BuildClient; lease: Lease },
  ): Promise<BuildReport> {
    return this.#planner.report(call, options, work);
  }

  /** Ends all builds; resolves when nothing of them runs. */
  async close(): Promise<void> {
    this.#closing.abort(new BerthError('unavailable', 'the engine is stopping'));
    await Promise.allSettled(this.#running);
  }

  /** What was not used for the longest time makes room for what is new. */
  async #collect(): Promise<void> {
    const { keepBytes } = this.#options;
    if (keepBytes <= 0 || this.#options.tables.size() <= keepBytes) return;
    await this.prune({ all: false, keepBytes, unusedSince: Number.POSITIVE_INFINITY });
  }

  /** Enters what was built into the store, under the names that were asked for, which it gives in full. */
  async storeImage(
    built: Built,
    tags: readonly string[],
    target: NewTarget | null = null,
  ): Promise<{ imageId: string; references: string[] }> {
    const references = tags.map((tag) => canonicalString(withDefaultTag(parseReference(tag))));
    const { id } = await this.#options.store.commitImage({
      config: built.main.config,
      references,
      target,
      lease: built.lease,
    });
    this.#options.published(id, references);
    return { imageId: id, references };
  }

  /**
   * Empties the cache: what no image has, with `all` everything; what was used last stays within `keepBytes`.
   * @param unusedSince Unix milliseconds; what was used later stays
   */
  async prune(options: {
    all: boolean;
    keepBytes: number;
    unusedSince: number;
  }): Promise<{ keys: string[]; bytes: number }> {
    const { tables, store } = this.#options;
    const steps = tables.all();
    let kept = steps.reduce((sum, { size, shared }) => (shared ? sum : sum + size), 0);
    const gone = steps.filter(({ used, shared, size }) => {
      if (used > options.unusedSince || (shared && !options.all)) return false;
      if (options.keepBytes > 0 && kept <= options.keepBytes) return false;
      kept -= size;
      return true;
    });
    tables.remove(gone.map(({ key }) => key));
    return { keys: gone.map(({ key }) => key), bytes: await store.sweep() };
  }

  async #build(
    options: BuildOptions,
    client: BuildClient,
    work: BuildWork & { lease: Lease; imports: Imports | null },
  ): Promise<Built> {
    const started = Date.now();
    for (const tag of options.tags) parseReference(tag);
    const source = await client.dockerfile();
    try {
      const epoch = epochOf(options.buildArguments);
      const plans = await this.#planner.planAll(options, { source, client, epoch, ...work });
      const vertices = plans.flatMap(({ plan: { root, image } }) => [
        root,
        ...image.history.flatMap(({ vertex }) => vertex ?? []),
        ...inOrder([root]).filter(({ kind, definition }) => kind === 'source' && definition['source'] !== 'local'),
      ]);
      const session: BuildSession = {
        lease: work.lease,
        files: once((name, context) => client.files(name, context)),
        secret: (id) => client.secret(id),
        sshAgent: (id) => client.sshAgent(id),
        remote: this.#options.remote,
        foreign: work.imports,
        contents: new Map(),
      };
      const graph = { vertices, roots: plans.map(({ plan: { root } }) => root) };
      const { imports, signal } = work;
      const { explain } = options;
      const listener = teller(work.event);
      const results = await solveThrough(this.#solver, graph, { session, signal, explain, imports, listener });
      const wishes = cacheWishes(options);
      const { contents } = session;
      const notes = wishes.any ? await notesOf(this.#solver, graph, { results, contents }) : null;
      const inline = notes && wishes.inline ? cacheOf(notes, new Map()) : null;
      const images = await Promise.all(plans.map((plan) => imageOf(plan, { results, inline, epoch })));
      const contextDigest = client.contextDigest?.bind(client);
      const filesOf = (vertex: Vertex): FileSource | null => {
        const value = results.get(vertex.digest)?.value;
        return value?.kind === 'files' ? value.files : null;
      };
      const main = choosePlatform(images, hostPlatform()) ?? (images[0] as BuiltImage);
      return { images, main, source, options, started, epoch, notes, filesOf, contextDigest, lease: work.lease };
    } catch (error) {
      if (work.signal.aborted) throw error;
      throw withExcerpt(error, source);
    }
  }
}

async function imageOf(
  { platform, plan }: PlatformPlan,
  from: { results: ReadonlyMap<string, Solved<BuildValue>>; inline: CacheDocument | null; epoch: number | null },
): Promise<BuiltImage> {
  const { results, inline, epoch } = from;
  const layers = treeOf(results.get(plan.root.digest)?.value);
  const diffIds = await Promise.all(layers.map(({ diffId }) => diffId));
  const created = (vertex: Vertex): number => results.get(vertex.digest)?.created ?? 0;
  const config = withInlineCache(imageDocument(plan.image, { diffIds, created, epoch }), inline);
  return { platform, plan, layers, diffIds, config };
}

/** The classic builder takes nothing from the cache where no image that was named for it is there. */
function usable(options: BuildOptions, imports: Imports | null): BuildOptions {
  return options.cacheOnlyFrom && (imports?.isEmpty ?? true) ? { ...options, noCache: true } : options;
}

/** Files of the client, received once by name; what failed may be asked for again. */
function once(files: BuildSession['files']): BuildSession['files'] {
  const known = new Map<string, ReturnType<BuildSession['files']>>();
  return (name, context) => {
    const received = known.get(name) ?? files(name, context);
    known.set(name, received);
    received.catch(() => known.delete(name));
    return received;
  };
}
