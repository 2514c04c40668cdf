/** The builder: a Dockerfile and its client in, an image out. */
import { BerthError } from '../api/errors.ts';
import type { BuildCall, BuildEvent, BuildOptions, BuildReport } from '../api/types/build.ts';
import { choosePlatform, formatPlatform, hostPlatform, type Platform, parsePlatform } from '../oci/platform.ts';
import { canonicalString, parseReference, withDefaultTag } from '../oci/reference.ts';
import type { StepRunner } from '../oci/step.ts';
import type { BuildCacheTables } from '../store/build-cache.ts';
import type { ImageStore } from '../store/image-store.ts';
import type { Lease, NewTarget } from '../store/types.ts';
import { withExcerpt } from './build-error.ts';
import { convertDockerfile } from './dockerfile/convert/convert.ts';
import type { BaseImage, BuildPlan, NamedContext } from './dockerfile/convert/plan.ts';
import { directivesOf } from './dockerfile/lines.ts';
import { Linter } from './dockerfile/lint/linter.ts';
import { parseDockerfile } from './dockerfile/parse.ts';
import type { DockerfileSource } from './dockerfile/source-error.ts';
import { imageDocument } from './export/image-document.ts';
import { inOrder, type Vertex } from './graph/vertex.ts';
import { CopyRunner, DirectoryRunner } from './ops/copy.ts';
import { ExecRunner } from './ops/exec.ts';
import { ImageRunner, MergeRunner, SourceRunner } from './ops/sources.ts';
import { MountMaker } from './ops/step-mounts.ts';
import { StoredCache } from './ops/stored-cache.ts';
import { LayerTrees } from './ops/trees.ts';
import { type BuildSession, type BuildValue, type Layer, type RemoteFiles, treeOf } from './ops/values.ts';
import { cacheWishes, withInlineCache } from './remote-cache/cache-document.ts';
import type { ClientFolders } from './remote-cache/client-folders.ts';
import type { Imports } from './remote-cache/imports.ts';
import type { LayerBlobs } from './remote-cache/layer-blobs.ts';
import { RemoteCaches } from './remote-cache/remote-caches.ts';
import { notesOf, solveThrough } from './remote-cache/solve-through.ts';
import { type BuildNotes, cacheOf } from './remote-cache/write-cache.ts';
import { checkReport, outlineReport, targetsReport } from './reports.ts';
import type { FileSource } from './session/file-source.ts';
import type { TreeAttributes } from './session/layered-files.ts';
import { Solver } from './solve/solver.ts';
import { teller } from './tell.ts';

/** Who asks for a build, and what he brings along. */
export interface BuildClient extends Omit<BuildSession, 'lease' | 'remote' | 'foreign' | 'contents'> {
  /** The Dockerfile's text. Error: `not-found`. */
  dockerfile(): Promise<DockerfileSource>;
  /** What the context is, where it has come from an address: `sha1:…` of a commit, `sha256:…` of an archive. */
  contextDigest?(): Promise<string | undefined>;
  /** Lines of .dockerignore, where they are known. */
  readonly ignored?: readonly string[];
  /** Caches in folders of the client. */
  readonly folders?: ClientFolders;
  /** Stands for the place of the context, so that builds of different places do not explain each other. */
  readonly slot: string;
}

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
  /**
   * An image of this machine, fetched where it is missing or `pull` asks for it.
   * @param options.configOnly nothing will be built: its layers may be missing
   */
  findImage(
    reference: string,
    options: { platform: Platform | null; pull: boolean; configOnly: boolean },
    work: BuildWork & { lease: Lease },
  ): Promise<BaseImage>;
  /** Tells the rest of the engine about an image. */
  published(id: string, names: readonly string[]): void;
  report(message: string, error: unknown): void;
}

export interface BuildWork {
  event: (event: BuildEvent) => void;
  signal: AbortSignal;
  /** Credentials by registry. */
  auths: Readonly<Record<string, unknown>>;
}

/** The image of one platform. */
export interface BuiltImage {
  platform: Platform;
  plan: BuildPlan;
  layers: readonly Layer[];
  diffIds: readonly string[];
  config: Uint8Array;
}

/** What came out, before it goes anywhere. */
export interface Built {
  /** In the order in which their platforms were asked for. */
  images: readonly BuiltImage[];
  /** The one that this machine runs; where it runs none of them, the first. */
  main: BuiltImage;
  source: DockerfileSource;
  options: BuildOptions;
  /** Unix milliseconds. */
  started: number;
  /** Seconds of SOURCE_DATE_EPOCH. */
  epoch: number | null;
  /** What the vertex of an address or a repository gave. */
  filesOf(vertex: Vertex): FileSource | null;
  contextDigest: BuildClient['contextDigest'];
  /** For caches of other machines; null: none is wanted. */
  notes: BuildNotes | null;
  lease: Lease;
}

interface PlanWork {
  source: DockerfileSource;
  client: BuildClient;
  epoch: number | null;
  lease: Lease;
  linter: Linter;
  /** Stages too that the target does not need. */
  allStages?: boolean;
  /** Nothing will be built. */
  configOnly?: boolean;
  imports?: Imports | null;
  /** All that are asked for; missing: what the options say. */
  platforms?: readonly Platform[];
  /** The one that is planned; missing: the first. */
  platform?: Platform;
}

/** So often what a build has done so far is written down. */
const savingMilliseconds = 5000;

export class Builder {
  readonly #options: BuilderOptions;
  readonly #trees: LayerTrees;
  readonly #cache: StoredCache;
  readonly #caches: RemoteCaches;
  readonly #solver: Solver<BuildValue, BuildSession>;
  readonly #closing = new AbortController();
  readonly #running = new Set<Promise<unknown>>();

  constructor(options: BuilderOptions) {
    const { store, tables, steps, attributes } = options;
    this.#options = options;
    this.#trees = new LayerTrees(store);
    this.#cache = new StoredCache(store, tables);
    this.#caches = new RemoteCaches(options);
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
  async report(
    call: Exclude<BuildCall, 'build'>,
    options: BuildOptions,
    { client, ...work }: BuildWork & { client: BuildClient; lease: Lease },
  ): Promise<BuildReport> {
    const source = await client.dockerfile();
    try {
      if (call === 'targets') return targetsReport(source);
      const common = { source, client, epoch: null, configOnly: true, ...work };
      if (call === 'outline')
        return outlineReport(source, await this.#plan(options, { ...common, linter: new Linter() }));
      let linter = new Linter();
      try {
        linter = linterOf(source, options);
        // Without a target all are looked at.
        await this.#plan(options, { ...common, linter, allStages: options.target === '' });
        return checkReport(source, linter, null);
      } catch (error) {
        work.signal.throwIfAborted();
        return checkReport(source, linter, error);
      }
    } catch (error) {
      if (work.signal.aborted) throw error;
      throw withExcerpt(error, source);
    }
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
      const linter = linterOf(source, options);
      const platforms = platformsOf(options);
      const common = { source, client, epoch, ...work };
      const plan = await this.#plan(options, { ...common, linter, platforms }).finally(() => {
        for (const { rule, detail, range } of linter.warnings)
          work.event({ type: 'warning', rule, message: detail, line: range.first });
      });
      if (linter.violation !== null) throw new BerthError('invalid', linter.violation);
      const plans = [{ platform: platforms[0] as Platform, plan }];
      // What the checks have to say they have said.
      for (const platform of platforms.slice(1))
        plans.push({
          platform,
          plan: await this.#plan(options, { ...common, linter: new Linter(), platforms, platform }),
        });
      tellPlan(plan, work.event);
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
      const images = await Promise.all(
        plans.map(async ({ platform, plan: one }): Promise<BuiltImage> => {
          const layers = treeOf(results.get(one.root.digest)?.value);
          const diffIds = await Promise.all(layers.map(({ diffId }) => diffId));
          const created = (vertex: Vertex): number => results.get(vertex.digest)?.created ?? 0;
          return {
            platform,
            plan: one,
            layers,
            diffIds,
            config: withInlineCache(imageDocument(one.image, { diffIds, created, epoch }), inline),
          };
        }),
      );
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

  async #plan(options: BuildOptions, work: BuildWork & PlanWork): Promise<BuildPlan> {
    const platforms = work.platforms ?? platformsOf(options);
    const platform = work.platform ?? (platforms[0] as Platform);
    return convertDockerfile(parseDockerfile(work.source.text, work.linter), {
      target: options.target,
      allStages: work.allStages ?? false,
      linter: work.linter,
      arguments: new Map(Object.entries(options.buildArguments)),
      labels: new Map(Object.entries(options.labels)),
      noCache: options.noCache || (options.noCacheFilter.length > 0 ? options.noCacheFilter : false),
      platform,
      buildPlatform: hostPlatform(),
      namesPlatform: platforms.length > 1,
      epoch: work.epoch,
      network: options.network || 'default',
      extraHosts: options.extraHosts,
      limits: options.limits,
      namedContexts: new Map(
        Object.entries(options.namedContexts).map(([name, text]) => [name, namedContext(name, text)]),
      ),
      ignored: work.client.ignored ?? [],
      slot: [work.client.slot, work.source.name, ...(platforms.length > 1 ? [formatPlatform(platform)] : [])].join('/'),
      allowInsecure: options.allow.includes('security.insecure'),
      allowHostNetwork: options.network === 'host' || options.allow.includes('network.host'),
      findImage: async (reference, wanted) => {
        const { imports, configOnly = false } = work;
        const find = (onlyConfig: boolean): Promise<BaseImage> =>
          this.#options.findImage(reference, { platform: wanted, pull: options.pull, configOnly: onlyConfig }, work);
        if (!imports || imports.isEmpty) return find(configOnly);
        // Where all steps upon it are cached elsewhere, nobody looks into it.
        const image = await find(true);
        imports.promise(image, () => find(false));
        return image;
      },
    });
  }
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

/** Of every build one at least, none twice. Error: `invalid`. */
function platformsOf({ platform }: BuildOptions): Platform[] {
  if (platform === '') return [hostPlatform()];
  const named = platform.split(',').map((text) => parsePlatform(text.trim()));
  return [...new Map(named.map((one) => [formatPlatform(one), one])).values()];
}

function tellPlan(plan: BuildPlan, event: (event: BuildEvent) => void): void {
  event({
    type: 'lines',
    lines: plan.lines.map(({ text, vertex, image }) => ({
      text,
      id: vertex?.digest ?? null,
      ...(image !== undefined && { image }),
    })),
  });
  if (plan.unusedArguments.length > 0)
    event({
      type: 'warning',
      rule: null,
      message: `[Warning] One or more build-args [${plan.unusedArguments.join(' ')}] were not consumed`,
      line: 0,
    });
}

/** What `# check=` says, or the argument that goes before it. Error: `invalid`; `DockerfileError` for other directives. */
function linterOf(source: DockerfileSource, options: BuildOptions): Linter {
  return new Linter(options.buildArguments['BUILDKIT_DOCKERFILE_CHECK'] ?? directivesOf(source.text).check);
}

/** Seconds of SOURCE_DATE_EPOCH, where it is given. Error: `invalid`. */
function epochOf(buildArguments: Record<string, string>): number | null {
  const text = buildArguments['SOURCE_DATE_EPOCH'];
  if (text === undefined || text === '') return null;
  if (!/^\d+$/.test(text))
    throw new BerthError(
      'invalid',
      `invalid SOURCE_DATE_EPOCH: ${text}: strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`,
    );
  return Number(text);
}

function namedContext(name: string, text: string): NamedContext {
  if (text.startsWith('docker-image://')) return { kind: 'image', reference: text.slice('docker-image://'.length) };
  if (/^(?:git@|git:\/\/|ssh:\/\/)|\.git(?:#.*)?$/.test(text)) return { kind: 'git', url: text };
  if (/^https?:\/\//.test(text)) return { kind: 'http', url: text };
  return { kind: 'files', name };
}
