/**
 * A container service over fakes: no kernel, no disk, no shim. What the fakes were told stands in them, and tests play the
 * kernel's part by `exit`. Used by the unit tests of this folder only.
 */
import { Readable } from 'node:stream';
import { BerthError } from '../../api/errors.ts';
import { containerCreateRequest } from '../../api/schemas/container.ts';
import type { ContainerConfig, HostConfig } from '../../api/types/container.ts';
import { readHostFacts } from '../../host/facts.ts';
import type { ContainerDefaults } from '../../oci/image-config.ts';
import { BerthDatabase } from '../../store/db/database.ts';
import { Paths } from '../../store/paths.ts';
import type {
  Adoption,
  ExitStatus,
  ShimSpec,
  StartedContainer,
  StartedExec,
  Supervisor,
} from '../../supervisor/types.ts';
import { EventBus } from '../events/event-bus.ts';
import type { SandboxProvider } from '../networks/types.ts';
import type { ContainerVolumes } from '../volumes/types.ts';
import type { BundleFiles, ContainerFiles } from './context.ts';
import { type ContainerRecord, neverStarted } from './record.ts';
import { ContainerService } from './service.ts';
import type { ContainerSettings } from './settings.ts';

const { HostConfig: zeroHostConfig, NetworkingConfig: _none, ...zeroConfig } = containerCreateRequest.zero();

export function testConfig(changes: Partial<ContainerConfig> = {}): ContainerConfig {
  return { ...structuredClone(zeroConfig), Cmd: ['true'], Image: 'busybox', ...changes };
}

export function testHostConfig(changes: Partial<HostConfig> = {}): HostConfig {
  return { ...structuredClone(zeroHostConfig), NetworkMode: 'default', ...changes };
}

export function newTestRecord(changes: Partial<ContainerRecord> = {}): ContainerRecord {
  return {
    id: 'c'.repeat(64),
    name: 'web',
    created: '2026-01-02T03:04:05.000000006Z',
    image: `sha256:${'a'.repeat(64)}`,
    config: testConfig(),
    hostConfig: testHostConfig({ NetworkMode: 'bridge', RestartPolicy: { Name: 'no', MaximumRetryCount: 0 } }),
    path: 'true',
    arguments: [],
    endpoints: {},
    mounts: [],
    ...neverStarted,
    ...changes,
  };
}

/** A supervisor that runs nothing. */
class FakeSupervisor implements Supervisor {
  readonly started: ShimSpec[] = [];
  readonly signals: { id: string; signal: number }[] = [];
  readonly cleaned: string[] = [];
  /** Thrown by the next start. */
  refusal: Error | null = null;
  /** What adoption finds; everything else is gone. */
  readonly adoptions = new Map<string, Adoption>();
  /** Called for each signal, so that a test can let the process end. */
  onSignal: (id: string, signal: number) => void = () => {};
  #pids = 1000;

  prepareStart(): void {}

  abandon(): Promise<void> {
    return Promise.resolve();
  }

  endCgroup(): Promise<void> {
    return Promise.resolve();
  }

  start(spec: ShimSpec): Promise<StartedContainer> {
    const { refusal } = this;
    this.refusal = null;
    if (refusal) return Promise.reject(refusal);
    this.started.push(spec);
    return Promise.resolve({ pid: ++this.#pids, startedAt: new Date(), attachments: [] });
  }

  adopt(containerId: string): Promise<Adoption> {
    return Promise.resolve(this.adoptions.get(containerId) ?? { state: 'gone' });
  }

  attach(): Promise<never> {
    return Promise.reject(new BerthError('not-found', 'the fake has no streams'));
  }

  resize(): Promise<void> {
    return Promise.resolve();
  }

  exec(): Promise<StartedExec> {
    return Promise.reject(new BerthError('internal', 'the fake runs nothing'));
  }

  signal(id: string, _execId: string | null, signal: number): Promise<void> {
    this.signals.push({ id, signal });
    this.onSignal(id, signal);
    return Promise.resolve();
  }

  truncateLog(): Promise<void> {
    return Promise.resolve();
  }

  cleanUp(id: string): Promise<void> {
    this.cleaned.push(id);
    return Promise.resolve();
  }

  close(): void {}
}

/** Files that are only remembered. */
class FakeFiles implements ContainerFiles {
  readonly bundlesById = new Map<string, BundleFiles>();
  readonly discarded: string[] = [];
  readonly madeSources: string[] = [];
  readonly copied: string[] = [];
  rootFiles: Record<string, string> = {};
  /** Ids that a former engine left in the exec root. */
  left = new Set<string>();
  discardFailure: Error | null = null;

  prepare(): Promise<void> {
    return Promise.resolve();
  }
  initLayer(): Promise<string> {
    return Promise.resolve('/init');
  }
  writeBundle(id: string, files: BundleFiles): Promise<void> {
    this.bundlesById.set(id, files);
    return Promise.resolve();
  }
  removeBundle(id: string): Promise<void> {
    this.bundlesById.delete(id);
    return Promise.resolve();
  }
  discard(id: string): Promise<void> {
    if (this.discardFailure) return Promise.reject(this.discardFailure);
    this.discarded.push(id);
    return Promise.resolve();
  }
  bundles(): Promise<Set<string>> {
    return Promise.resolve(this.left);
  }
  discardExcept(): Promise<void> {
    return Promise.resolve();
  }
  runtimeStates(): Promise<string[]> {
    return Promise.resolve([]);
  }
  removeRuntimeState(): Promise<void> {
    return Promise.resolve();
  }
  sourceExists(): Promise<boolean> {
    return Promise.resolve(true);
  }
  makeSource(path: string): Promise<void> {
    this.madeSources.push(path);
    return Promise.resolve();
  }
  readRootFile(_layers: readonly string[], path: string): Promise<string> {
    return Promise.resolve(this.rootFiles[path] ?? '');
  }
  readRunningFile(_pid: number, path: string): Promise<string> {
    return Promise.resolve(this.rootFiles[path] ?? '');
  }
  readMountInfo(): Promise<string> {
    return Promise.resolve('1 0 8:1 / / rw - ext4 /dev/sda rw\n');
  }
  mergedDirectory(layers: readonly string[]): Promise<readonly string[]> {
    return Promise.resolve(layers);
  }
  hasEntry(): Promise<boolean> {
    return Promise.resolve(true);
  }
  copyUp(_layers: readonly string[], path: string): Promise<void> {
    this.copied.push(path);
    return Promise.resolve();
  }
  sizesOf(ids: readonly string[]): Promise<number[]> {
    return Promise.resolve(ids.map(() => 0));
  }
  settled(): Promise<void> {
    return Promise.resolve();
  }
}

class FakeVolumes implements ContainerVolumes {
  readonly names = new Set<string>();

  readonly lent = new Set<string>();

  borrow(wish: { name: string }) {
    const name = wish.name || 'f'.repeat(64);
    if (!this.names.has(name)) this.lent.add(name);
    this.names.add(name);
    return Promise.resolve({
      ...{ name, driver: 'local', mountpoint: `/volumes/${name}` },
      ...{ created: '', labels: null, options: null },
    });
  }
  claim(names: readonly string[]): void {
    for (const name of names) this.lent.delete(name);
  }
  release(name: string): Promise<void> {
    return this.lent.delete(name) ? this.bury(name) : Promise.resolve();
  }
  condemn(): void {
    // The fake forgets with `bury`, and never dies in between.
  }
  resume(): void {
    // Nothing of the fake outlives it.
  }
  letGo(): Promise<void> {
    return Promise.resolve();
  }
  hold(name: string): Promise<string | null> {
    return Promise.resolve(this.names.has(name) ? `/volumes/${name}` : null);
  }
  bury(name: string): Promise<void> {
    this.names.delete(name);
    return Promise.resolve();
  }
}

class FakeNetworks implements SandboxProvider {
  readonly held = new Set<string>();
  failure: Error | null = null;

  allocate(request: { containerId: string }) {
    this.held.add(request.containerId);
    if (this.failure) return Promise.reject(this.failure);
    return Promise.resolve({
      plan: { kind: 'new' as const, interfaces: [], ports: [] },
      hosts: '127.0.0.1 localhost\n',
      resolvConf: 'nameserver 10.0.0.1\n',
      networks: {},
      ports: {},
    });
  }
  release(id: string): Promise<void> {
    this.held.delete(id);
    return Promise.resolve();
  }
  relink(): Promise<void> {
    return Promise.resolve();
  }
  rename(): Promise<void> {
    return Promise.resolve();
  }
  reconcile(): Promise<void> {
    return Promise.resolve();
  }
}

const settings: ContainerSettings = {
  cgroupParent: '/berth',
  defaultRuntime: 'crun',
  runtimes: new Map([['crun', { path: '/usr/bin/crun', arguments: [] }]]),
  shmSize: 64 * 1024 * 1024,
  ulimits: [],
  cgroupnsMode: '',
  ipcMode: 'private',
  noNewPrivileges: false,
  seccompProfile: '',
  init: false,
  initPath: () => '/bin/init',
  cdiSpecDirectories: [],
  logDriver: 'json-file',
  logOptions: {},
  dns: [],
  dnsOptions: [],
  dnsSearch: [],
};

export interface FakeEngineOptions {
  database?: BerthDatabase;
  image?: ContainerDefaults;
}

/** A service, its fakes, and what it published. */
export class FakeEngine {
  readonly database: BerthDatabase;
  readonly supervisor = new FakeSupervisor();
  readonly files = new FakeFiles();
  readonly volumes = new FakeVolumes();
  readonly networks = new FakeNetworks();
  readonly service: ContainerService;
  /** `container start web` and so on, in order. */
  readonly events: string[] = [];
  readonly attributes: Record<string, string>[] = [];
  readonly reported: string[] = [];

  constructor(options: FakeEngineOptions = {}) {
    this.database = options.database ?? new BerthDatabase(':memory:');
    const bus = new EventBus();
    bus.subscribe((event) => {
      this.events.push(event.Action);
      this.attributes.push(event.Actor.Attributes);
    });
    this.service = new ContainerService(
      {
        database: this.database,
        paths: new Paths({ dataRoot: '/data', execRoot: '/exec' }),
        events: bus,
        images: {
          resolve: (reference) => {
            if (reference === 'nope') throw new BerthError('not-found', 'No such image: nope:latest');
            const config = options.image ?? {};
            return {
              id: `sha256:${'a'.repeat(64)}`,
              os: 'linux',
              architecture: 'amd64',
              config,
              lower: ['/layer'],
              size: 1000,
            };
          },
        },
        networks: this.networks,
        supervisor: this.supervisor,
        volumes: this.volumes,
        host: readHostFacts(),
        settings,
        files: this.files,
        freezer: { freeze: () => Promise.resolve(), thaw: () => Promise.resolve() },
        report: (message) => {
          this.reported.push(message);
        },
      },
      () => Promise.resolve(Readable.from([])),
    );
  }

  async create(config: Partial<ContainerConfig> = {}, host: Partial<HostConfig> = {}, name = ''): Promise<string> {
    const answer = await this.service.create({
      name,
      platform: null,
      config: testConfig(config),
      hostConfig: testHostConfig(host),
      endpoints: {},
    });
    return answer.Id;
  }

  async run(config: Partial<ContainerConfig> = {}, host: Partial<HostConfig> = {}, name = ''): Promise<string> {
    const id = await this.create(config, host, name);
    await this.service.start(id);
    return id;
  }

  /** The process ends; resolves when the engine has entered it. */
  async exit(id: string, status: Partial<ExitStatus> = {}): Promise<void> {
    this.service.supervisorEvents.onExit(id, { code: 0, oomKilled: false, exitedAt: new Date(), ...status });
    await this.idle(id);
  }

  /** Resolves when nobody holds the container. */
  idle(id: string): Promise<void> {
    return this.service.context.mutex.run(id, () => {});
  }

  state(id: string): string {
    return this.service.inspect(id).State.Status;
  }
}
