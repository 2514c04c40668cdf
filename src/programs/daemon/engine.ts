/** Puts the engine together: makes each service, hands it what it needs, adopts what runs. Knows everybody, does nothing itself. */
import { randomUUID } from 'node:crypto';
import packageFile from '../../../package.json' with { type: 'json' };
import { errorMessage } from '../../api/errors.ts';
import { ContainerArchive } from '../../engine/containers/archive/container-archive.ts';
import { DiskFiles } from '../../engine/containers/files.ts';
import { networkMembers } from '../../engine/containers/network-members.ts';
import { ContainerService } from '../../engine/containers/service.ts';
import type { ContainerSettings } from '../../engine/containers/settings.ts';
import { volumeHolders, volumeUsers } from '../../engine/containers/volume-users.ts';
import { EventBus } from '../../engine/events/event-bus.ts';
import { ExecService } from '../../engine/exec/exec-service.ts';
import { HealthService } from '../../engine/health/health-service.ts';
import { ImageBootstrap } from '../../engine/images/bootstrap/bootstrap.ts';
import { BuiltInCatalog } from '../../engine/images/built-in.ts';
import { builtInImages } from '../../engine/images/built-in-images.ts';
import { StoredContainerImages } from '../../engine/images/container-images.ts';
import { ImageService } from '../../engine/images/image-service.ts';
import { LayerTransfers } from '../../engine/images/layer-transfers.ts';
import { ManifestLists } from '../../engine/images/manifest-lists.ts';
import { ImagePull } from '../../engine/images/pull.ts';
import { ImagePush } from '../../engine/images/push.ts';
import { RegistryQueries } from '../../engine/images/registry-queries.ts';
import { readLog } from '../../engine/logs/log-reader.ts';
import { type KernelNetworks, openKernelNetworks } from '../../engine/networks/kernel-networks.ts';
import { RuntimeVersions } from '../../engine/system/runtime-version.ts';
import { dockerVersion, SystemService, type SystemSettings } from '../../engine/system/system.ts';
import { VolumeService } from '../../engine/volumes/volume-service.ts';
import { makeFreezer } from '../../host/cgroup/freezer.ts';
import { type HostFacts, readForwarding, readHostFacts } from '../../host/facts.ts';
import { runTool } from '../../host/process/run-tool.ts';
import type { Backends } from '../../server/create-server.ts';
import { keepLogShort } from '../../store/db/checkpoints.ts';
import { BerthDatabase } from '../../store/db/database.ts';
import { ImageStore } from '../../store/image-store.ts';
import { NativeHelper } from '../../store/native-helper.ts';
import type { Paths } from '../../store/paths.ts';
import { installShim } from '../../supervisor/shim-binary.ts';
import { ShimSupervisor } from '../../supervisor/shim-supervisor.ts';
import { buildCacheUsage, openBuilds } from './builds.ts';
import { concurrency, type DaemonConfig } from './config.ts';
import { makeRegistries, reloadEngine, systemParts } from './engine-reload.ts';
import type { Logger } from './logger.ts';
import type { MetricsSource } from './metrics.ts';
import { networkSettings } from './network-settings.ts';
import { containerSettings } from './settings.ts';

export { dockerVersion };

/** Everything that a server needs to serve, and the end of it. */
export interface Engine {
  backends: Backends;
  cgroupVersion: 1 | 2;
  metrics: MetricsSource;
  /** Takes over what may change while it runs. Error: `invalid`, with nothing changed. */
  reload(config: DaemonConfig): void;
  /** Publishes an event of the engine itself. */
  announce(action: string, attributes: Record<string, string>): void;
  /** The machine goes down: ends all containers in good order; their restart policies say which come back. */
  halt(): Promise<void>;
  /** Resolves when nothing is left half done; containers go on running. */
  close(): Promise<void>;
}

interface Surroundings {
  paths: Paths;
  log: Logger;
}

/** What every part of the engine stands on. */
interface Foundation extends Surroundings {
  config: DaemonConfig;
  database: BerthDatabase;
  engineId: string;
  host: HostFacts;
  /** Path of the native helper program. */
  shim: string;
  settings: ContainerSettings;
  events: EventBus;
  store: ImageStore;
  report(message: string, error: unknown): void;
}

/** Opens the data root, adopts the containers that run, and gives the services. */
export async function openEngine(config: DaemonConfig, surroundings: Surroundings): Promise<Engine> {
  const foundation = await openFoundation(config, surroundings);
  const { database, events, host, log, report } = foundation;
  const network = await openKernelNetworks({
    database,
    ...networkSettings(config, foundation.engineId),
    helper: foundation.shim,
    resolver: { directory: foundation.paths.names, containers: foundation.paths.bundles },
    etcPaths: (id) => foundation.paths.container(id),
    onMended: (what) => log.info(`the packet filter was changed by another program; mended ${what}`),
    report,
  });
  host.ipv4Forwarding = readForwarding();
  const { containers, volumes, supervisor } = openContainers(foundation, network);
  await volumes.books.recover();
  const exec = new ExecService(containers.context);
  new HealthService(containers.context, exec);
  const { images, registryQueries, reloadable, pull, backend: imageBackend } = openImages(foundation, containers);
  containers.context.observers.push(volumeHolders(volumes, report));
  const builds = openBuilds({ ...foundation, containers, images, pull, ...reloadable });
  await containers.adopt();
  await volumes.books.settle();
  const networkChanges = network.changes(networkMembers(containers.context), (action, { id }, attributes) =>
    events.publish('network', action, id, attributes),
  );
  await networkChanges.reconcile();
  const stopCheckpoints = keepLogShort(database, foundation.paths.database, (error) => report('checkpoint', error));
  const systemSettings = makeSystemSettings(foundation);
  return {
    cgroupVersion: host.cgroup.version,
    metrics: metricsSource(foundation, containers),
    reload: (next) => reloadEngine(next, { ...reloadable, system: systemSettings, containers: foundation.settings }),
    announce: (action, attributes) => events.publish('daemon', action, foundation.engineId, attributes),
    backends: {
      containers: {
        lifecycle: containers,
        state: containers,
        queries: containers,
        streams: containers,
        archive: new ContainerArchive(containers.context, foundation.shim),
      },
      exec,
      images: imageBackend,
      builds,
      networks: {
        queries: network.networks,
        changes: networkChanges,
      },
      volumes,
      system: openSystem(foundation, { containers, volumes, images, registryQueries, settings: systemSettings }),
      events,
    },
    halt: () => containers.halt(),
    async close() {
      await builds.close();
      await containers.close();
      supervisor.close();
      await network.close();
      stopCheckpoints();
      await database.durable();
      database.close();
    },
  };
}

async function openFoundation(config: DaemonConfig, { paths, log }: Surroundings): Promise<Foundation> {
  const database = new BerthDatabase(paths.database);
  const engineId = database.meta('engine-id') ?? randomUUID();
  database.setMeta('engine-id', engineId);
  const shim = await installShim(paths.bin);
  const store = new ImageStore({ paths, database, helper: shim });
  await store.recover((error) => log.warn(`what an earlier run left stays: ${errorMessage(error)}`));
  return {
    config,
    paths,
    log,
    database,
    engineId,
    host: readHostFacts(),
    shim,
    settings: containerSettings(config, shim),
    events: new EventBus(),
    store,
    report: (message, error) => log.error(`${message}: ${errorMessage(error)}`),
  };
}

/** Containers, volumes and the supervisor know of each other; each is reached through a function that is only called later. */
function openContainers(foundation: Foundation, { networks }: KernelNetworks) {
  const { database, paths, events, shim, store, host, settings, report } = foundation;
  const supervisor = new ShimSupervisor({
    shim,
    events: {
      onExit: (id, status) => containers.supervisorEvents.onExit(id, status),
      onOutOfMemory: (id) => containers.supervisorEvents.onOutOfMemory(id),
    },
  });
  const volumes = new VolumeService({
    database,
    paths,
    events,
    users: volumeUsers(() => containers.context),
    helper: new NativeHelper(shim),
  });
  const containers: ContainerService = new ContainerService(
    {
      database,
      paths,
      events,
      images: new StoredContainerImages(store),
      networks,
      supervisor,
      volumes,
      host,
      settings,
      files: new DiskFiles({ paths, helper: shim, report }),
      freezer: makeFreezer(host.cgroup),
      report,
    },
    (container, query) =>
      readLog(
        shim,
        {
          path: paths.container(container.id).log,
          terminal: container.record.config.Tty,
          onceExited: container.pid === 0 ? null : (callback) => container.onceExited(callback),
        },
        query,
      ),
  );
  return { containers, volumes, supervisor };
}

function openImages(foundation: Foundation, containers: ContainerService) {
  const { config, paths, events, shim, store, log } = foundation;
  const registries = makeRegistries(config);
  const { downloads, uploads, attempts } = concurrency(config);
  const registryQueries = new RegistryQueries(registries);
  const images = new ImageService({
    store,
    events,
    users: { containersOf: (id) => containers.containersOf(id) },
    helper: shim,
    warn: (message) => log.warn(message),
  });
  const transfers = new LayerTransfers({
    store,
    directory: paths.downloads,
    concurrentDownloads: downloads,
    downloadAttempts: attempts,
  });
  const pull = new ImagePull({
    store,
    registries,
    layers: transfers,
    events,
    builtIn: new BuiltInCatalog(store, builtInImages),
  });
  const push = new ImagePush({ store, registries, events, concurrentUploads: uploads });
  const backend: Backends['images'] = {
    queries: images,
    changes: {
      tag: (name, repository, tag) => images.tag(name, repository, tag),
      remove: (name, options) => images.remove(name, options),
      prune: (filters) => images.prune(filters),
      commit: (options) => images.commit(options, containers.commitSource(options.container), dockerVersion),
    },
    transfer: {
      pull: (options, progress, signal) => pull.pull(options, progress, signal),
      push: (options, progress, signal) => push.push(options, progress, signal),
      load: (archive, options, progress, signal) => images.load(archive, options, progress, signal),
      save: (names, options, signal) => images.save(names, options, signal),
      import: (source, options, progress, signal) => images.import(source, options, progress, signal),
    },
    registries: registryQueries,
    manifests: new ManifestLists(registries),
    bootstrap: new ImageBootstrap({ store, events }),
  };
  return { images, registryQueries, reloadable: { registries, transfers, push }, pull, backend };
}

interface SystemParts {
  containers: ContainerService;
  volumes: VolumeService;
  images: ImageService;
  registryQueries: RegistryQueries;
  settings: SystemSettings;
}

function makeSystemSettings({ config, paths, engineId, settings }: Foundation): SystemSettings {
  return {
    engineId,
    version: packageFile.version,
    commit: process.env['BERTH_COMMIT'] ?? '',
    buildTime: process.env['BERTH_BUILD_TIME'] ?? '',
    dataRoot: paths.dataRoot,
    ...systemParts(config),
    addressPools: config['default-address-pools'],
    containers: settings,
  };
}

function metricsSource({ engineId, host, events }: Foundation, containers: ContainerService): MetricsSource {
  return {
    engineId,
    version: packageFile.version,
    commit: process.env['BERTH_COMMIT'] ?? '',
    architecture: host.machine,
    kernel: host.kernelRelease,
    operatingSystem: host.operatingSystem,
    cpus: host.cpus,
    memory: host.memory,
    countContainers: () => containers.count(),
    countEventListeners: () => events.listenerCount,
    observe: (observer) => events.observe(observer),
  };
}

function openSystem(foundation: Foundation, { containers, volumes, images, registryQueries, settings }: SystemParts) {
  const { host, store, events } = foundation;
  const none = new Map<string, string[]>();
  return new SystemService({
    settings,
    host,
    countContainers: () => containers.count(),
    countImages: () => store.records.all().filter((image) => !image.hidden).length,
    countEventListeners: () => events.listenerCount,
    runtimeVersions: new RuntimeVersions((path) => runTool([path, '--version'])),
    usage: {
      containers: () => containers.list({ all: true, limit: 0, size: true, filters: none }),
      images: () => images.list({ all: true, sharedSize: true, filters: none }),
      volumes: () => volumes.usage(),
      layers: () => store.layers.totalSize(),
      builds: () => buildCacheUsage(foundation.database),
    },
    authenticate: (auth) => registryQueries.authenticate(auth),
  });
}
