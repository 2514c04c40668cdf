/** Puts the builder together: the engine's steps, its store, its images. */
import { BerthError, errorKind } from '../../api/errors.ts';
import type { BuildOptions } from '../../api/types/build.ts';
import type { AuthConfig } from '../../api/types/image.ts';
import type { ProgressMessage } from '../../api/types/progress.ts';
import type { BuildCacheRecord } from '../../api/types/system.ts';
import { Builder, type BuilderOptions } from '../../build/builder.ts';
import { ClassicBuilds } from '../../build/classic.ts';
import type { BaseImage } from '../../build/dockerfile/convert/plan.ts';
import { ContextStore } from '../../build/session/context-store.ts';
import { HostRemoteFiles } from '../../build/session/remote-files.ts';
import { SessionBuilds } from '../../build/session/session-builds.ts';
import { credentialsOf } from '../../distribution/credentials.ts';
import type { Registries } from '../../distribution/registries.ts';
import { RepositorySources } from '../../distribution/sources.ts';
import type { ContainerService } from '../../engine/containers/service.ts';
import type { EventBus } from '../../engine/events/event-bus.ts';
import { findImage, readStoredReference, targetOf } from '../../engine/images/image-names.ts';
import type { ImageService } from '../../engine/images/image-service.ts';
import type { LayerTransfers } from '../../engine/images/layer-transfers.ts';
import type { ImagePull } from '../../engine/images/pull.ts';
import type { ImagePush } from '../../engine/images/push.ts';
import { imageOfTarget } from '../../engine/images/targets.ts';
import { ContainerSteps } from '../../engine/steps/container-steps.ts';
import { interpretedArchitectures } from '../../host/files/interpreters.ts';
import { fileCapability, isOpaque } from '../../host/files/opaque.ts';
import { runTool } from '../../host/process/run-tool.ts';
import { configPlatform } from '../../oci/image-config.ts';
import { formatPlatform, hostPlatform, platformRank } from '../../oci/platform.ts';
import { familiarString, parseReference, type Reference, withDefaultTag } from '../../oci/reference.ts';
import type { BuildBackend } from '../../server/routers/build/backend.ts';
import { BuildCacheTables } from '../../store/build-cache.ts';
import type { BerthDatabase } from '../../store/db/database.ts';
import type { ImageStore } from '../../store/image-store.ts';
import type { Paths } from '../../store/paths.ts';
import type { StoredImage } from '../../store/types.ts';
import type { Filters } from '../../wire/filters.ts';
import { parseDecimalSize } from '../../wire/size.ts';
import { parseDuration } from '../../wire/time.ts';
import type { DaemonConfig } from './config.ts';

export interface BuildParts {
  config: Pick<DaemonConfig, 'builder'>;
  paths: Paths;
  database: BerthDatabase;
  store: ImageStore;
  events: EventBus;
  containers: ContainerService;
  pull: Pick<ImagePull, 'pull' | 'pullUnnamed' | 'config' | 'isBuiltIn'>;
  images: Pick<ImageService, 'save'>;
  push: ImagePush;
  transfers: LayerTransfers;
  registries: Registries;
  report(message: string, error: unknown): void;
}

export function openBuilds(parts: BuildParts): BuildBackend & { close(): Promise<void> } {
  const { store, database, paths, events, report } = parts;
  const tables = new BuildCacheTables(database);
  const attributes = { isOpaque, capability: fileCapability };
  const remote = new HostRemoteFiles(runTool);
  const builder = new Builder({
    store,
    tables,
    steps: new ContainerSteps(parts.containers.context),
    interpreted: interpretedArchitectures,
    remote,
    blobs: {
      fetch: (request) => parts.transfers.fetch(request),
      push: (push) => parts.push.layers.push(push),
      registry: (reference, auths, actions) =>
        new RepositorySources(reference, {
          registries: parts.registries,
          credentials: credentialsOf(authFor(reference, auths)),
          actions,
        }),
    },
    mountDirectory: paths.buildMounts,
    keepBytes: keepStorage(parts.config.builder),
    attributes,
    findImage: imageFinder(parts),
    published: (id, names) => {
      events.publish('image', 'create', id, { name: id });
      for (const name of names) events.publish('image', 'tag', id, { name: familiarString(parseReference(name)) });
    },
    report,
  });
  const contexts = new ContextStore(paths.buildContexts, store.helper);
  const sessions = new SessionBuilds({
    builder,
    store,
    contexts,
    remote,
    attributes,
    socketDirectory: paths.locks,
    save: ({ id, names, target }, signal) =>
      parts.images.save(names.length > 0 ? [...names] : [id], { platform: null, target }, signal),
  });
  const classic = new ClassicBuilds({ builder, store, remote });
  return {
    close: () => builder.close(),
    build: (request, context, work) => {
      const options = { ...request.options, ...cachesOf(store, request.cacheFrom) };
      return classic.build({ ...request, options }, context, { ...work, auths: request.auths });
    },
    session: (connection) => sessions.serve(connection),
    prune: async ({ all, keepBytes, filters }) => {
      const { keys, bytes } = await builder.prune({ all, keepBytes, unusedSince: unusedSince(filters) });
      await contexts.prune();
      if (all) await store.helper.remove([paths.buildMounts]);
      return {
        CachesDeleted: keys.length > 0 ? keys.map(shortKey) : null,
        SpaceReclaimed: bytes,
      };
    },
  };
}

const defaultKeepStorage = 20_000_000_000;

/** Bytes of layers that only the build cache has; beyond them the oldest go. 0: no limit. Error: plain, for a size that is none. */
function keepStorage({ gc }: DaemonConfig['builder']): number {
  if (gc?.enabled === false) return 0;
  const text = gc?.defaultKeepStorage ?? gc?.defaultReservedSpace;
  return text === undefined ? defaultKeepStorage : parseDecimalSize(text);
}

/** The build cache as `system df` lists it. */
export function buildCacheUsage(database: BerthDatabase): BuildCacheRecord[] {
  return new BuildCacheTables(database).all().map((step) => ({
    ID: shortKey(step.key),
    Type: 'regular',
    Description: step.description,
    InUse: false,
    Shared: step.shared,
    Size: step.size,
    CreatedAt: new Date(step.created).toISOString(),
    LastUsedAt: new Date(step.used).toISOString(),
    UsageCount: step.uses,
  }));
}

function shortKey(key: string): string {
  return key.slice('sha256:'.length, 'sha256:'.length + 25);
}

/** Images of this machine first; the registry where one is missing, or the build asks for the newest. */
function imageFinder({ store, pull }: BuildParts): BuilderOptions['findImage'] {
  return async (reference, options, { event, signal, lease, auths }) => {
    const look = (): BaseImage => {
      const image = findImage(store, reference);
      const target = targetOf(store, reference);
      const other = target && options.platform ? imageOfTarget(store, target, options.platform) : null;
      if (other && other.id !== image.id) {
        const layers = other.config.rootfs.diff_ids;
        lease.hold(...layers);
        return { name: nameOf(reference), id: other.id, digest: target?.digest ?? '', layers, config: other.config };
      }
      const own = configPlatform(image.config);
      if (options.platform && own.architecture !== '' && platformRank(own, options.platform) === null)
        throw new BerthError(
          'not-found',
          `image with reference ${reference} was found but does not provide the specified platform (${formatPlatform(options.platform)})`,
        );
      lease.hold(image.id, ...image.layers);
      return {
        name: nameOf(reference),
        id: image.id,
        digest: digestOf(image, reference),
        layers: image.layers,
        config: image.config,
      };
    };
    if (!options.pull) {
      try {
        return look();
      } catch (error) {
        if (errorKind(error) !== 'not-found') throw error;
      }
    }
    const wanted = familiarString(withDefaultTag(parseReference(reference)));
    const request = {
      reference: wanted,
      platform: options.platform && { ...options.platform, variant: options.platform.variant ?? '' },
      auth: authFor(parseReference(wanted), auths),
    };
    if (options.configOnly && !pull.isBuiltIn(wanted)) {
      const { id, digest, config } = await pull.config(request, signal);
      return { name: nameOf(reference), id, digest, layers: config.rootfs.diff_ids, config };
    }
    const progress = (message: ProgressMessage): void => event({ type: 'pull', message });
    // What this machine does not run must not take the name away from what it does.
    if (options.platform && platformRank(options.platform, hostPlatform()) === null) {
      const { id, digest } = await pull.pullUnnamed(request, { lease, progress, signal });
      const image = store.image(id);
      if (!image) throw new Error(`image ${id} was pulled and is not here`);
      return { name: nameOf(reference), id, digest, layers: image.layers, config: image.config };
    }
    await pull.pull(request, progress, signal);
    return look();
  };
}

/** What the name stands for in its registry, where that is known; the image's id otherwise. */
function digestOf(image: StoredImage, reference: string): string {
  const name = nameOf(reference);
  const repository = name.slice(0, name.lastIndexOf(':'));
  const digests = image.references.map(readStoredReference).filter(({ isDigest }) => isDigest);
  const own = digests.find(({ familiar }) => familiar.startsWith(`${repository}@`));
  return own ? own.familiar.slice(own.familiar.indexOf('@') + 1) : image.id;
}

/** Images whose cache is wanted: those that have one in them, here or at their registry; where one is here, the engine's own cache too. */
function cachesOf(store: ImageStore, images: readonly string[]): Pick<BuildOptions, 'cacheFrom' | 'cacheOnlyFrom'> {
  if (images.length === 0) return {};
  const isHere = (image: string): boolean => {
    try {
      return findImage(store, image) !== null;
    } catch {
      return false; // not here, or no name at all
    }
  };
  return {
    cacheFrom: images.map((reference) => ({ type: 'registry', reference, here: isHere(reference) })),
    cacheOnlyFrom: !images.some(isHere),
  };
}

/** What a registry is to be told; null: nothing is known. */
function authFor({ domain }: Reference, auths: Readonly<Record<string, unknown>>): AuthConfig | null {
  const names =
    domain === 'docker.io'
      ? ['docker.io', 'index.docker.io', 'https://index.docker.io/v1/']
      : [domain, `https://${domain}`];
  const found = names.map((name) => auths[name]).find((auth) => typeof auth === 'object' && auth !== null);
  return found ? ({ username: '', password: '', ...found } as AuthConfig) : null;
}

/** `until` and `unused-for`: how long nobody may have used it. Error: `invalid`. */
function unusedSince(filters: Filters): number {
  const [age] = [...(filters.get('unused-for') ?? []), ...(filters.get('until') ?? [])];
  return age === undefined ? Number.POSITIVE_INFINITY : Date.now() - Number(parseDuration(age) / 1_000_000n);
}

function nameOf(reference: string): string {
  try {
    return familiarString(withDefaultTag(parseReference(reference)));
  } catch {
    return reference; // an id
  }
}
