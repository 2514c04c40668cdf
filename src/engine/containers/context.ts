import { BerthError } from '../../api/errors.ts';
import { KeyedMutex } from '../../base/mutex.ts';
import type { Freezer } from '../../host/cgroup/freezer.ts';
import type { HostFacts } from '../../host/facts.ts';
import type { BerthDatabase } from '../../store/db/database.ts';
import type { Paths } from '../../store/paths.ts';
import type { ExitStatus, Supervisor } from '../../supervisor/types.ts';
import type { EventBus } from '../events/event-bus.ts';
import type { ContainerImages } from '../images/types.ts';
import type { SandboxProvider } from '../networks/types.ts';
import type { ContainerVolumes } from '../volumes/types.ts';
import type { Container } from './container.ts';
import { ContainerIndex } from './container-index.ts';
import type { ContainerSettings } from './settings.ts';
import { BundleWriter } from './spec/bundle.ts';
import { UserFileReader } from './user-files.ts';

/** What the container service needs of the rest of the engine. */
export interface ContainerDependencies {
  database: BerthDatabase;
  paths: Paths;
  events: EventBus;
  images: ContainerImages;
  networks: SandboxProvider;
  supervisor: Supervisor;
  volumes: ContainerVolumes;
  host: HostFacts;
  settings: ContainerSettings;
  files: ContainerFiles;
  freezer: Freezer;
  /** For what goes wrong with nobody to tell. */
  report(message: string, error: unknown): void;
}

/** Work on the disk that must not hold up the engine; src/engine/containers/files.ts, or a fake. */
export interface ContainerFiles {
  /** Makes the container's directories below the data root. */
  prepare(id: string): Promise<void>;
  /** Writes the bundle and the network files below the exec root. Null: not written. */
  writeBundle(id: string, files: BundleFiles): Promise<void>;
  /** The layer that lies between an image and each of its containers. @param key which image this is */
  initLayer(key: string, lower: readonly string[]): Promise<string>;
  /** Takes the bundle away again. */
  removeBundle(id: string): Promise<void>;
  /**
   * Deletes the container's directory in the background. Nobody else will ever have its id, and what a crash leaves of it the
   * next start finds by `discardExcept`.
   */
  discard(id: string): Promise<void>;
  /** Ids of the containers that have a bundle in the exec root. */
  bundles(): Promise<Set<string>>;
  /** Ids of the containers that the runtime keeps a state of in the exec root. */
  runtimeStates(): Promise<string[]>;
  /** Takes such a state away; the container's processes are gone. */
  removeRuntimeState(id: string): Promise<void>;
  /** Discards the directories of all containers that `known` does not know. */
  discardExcept(known: (id: string) => boolean): Promise<void>;
  /** Whether the host has something at a path, on whatever file system. */
  sourceExists(path: string): Promise<boolean>;
  /** Makes the missing source directory of a bind mount. */
  makeSource(path: string): Promise<void>;
  /** The small file of a root that is not mounted, as text; empty where there is none. */
  readRootFile(layers: readonly string[], path: string): Promise<string>;
  /** The same inside a running container. */
  readRunningFile(pid: number, path: string): Promise<string>;
  readMountInfo(): Promise<string>;
  /** False where the layers surely have nothing at `path`. */
  hasEntry(layers: readonly string[], path: string): Promise<boolean>;
  /** Directories that make up the one at `path` of the layers, at least two of them, the top one first. Null: there is none. */
  mergedDirectory(layers: readonly string[], path: string): Promise<readonly string[] | null>;
  /** Fills an empty volume with what the layers have at `path`. */
  copyUp(layers: readonly string[], path: string, directory: string): Promise<void>;
  /** Bytes of the regular files in the containers' own layers, in their order; a container that is gone has none. */
  sizesOf(ids: readonly string[]): Promise<number[]>;
  /** Resolves when everything put out of the way is deleted. */
  settled(): Promise<void>;
}

export interface BundleFiles {
  config: string;
  hosts: string | null;
  hostname: string | null;
  resolvConf: string | null;
}

/** Who follows the lives of containers; called when the books are right, and must not throw. */
export interface LifeObserver {
  /** It runs: started, let go on, or found running by a new engine. */
  watched?(container: Container): void;
  /** It stands still, or will be looked after by the next engine. */
  unwatched?(container: Container): void;
  /** It ended, or is removed. `unwatched` comes before. */
  ended?(container: Container): void;
}

/** Shared by every verb of the service. */
export class ContainerContext {
  readonly dependencies: ContainerDependencies;
  readonly index: ContainerIndex;
  readonly bundles: BundleWriter;
  readonly users: UserFileReader;
  /** One operation at a time per container; held by nothing that waits for a process to end. */
  readonly mutex = new KeyedMutex();
  readonly #background = new Set<Promise<void>>();
  closing = false;
  /** Told in this order. */
  readonly observers: LifeObserver[] = [];
  /** Told about the end of what the books do not have: a build step. */
  onStranger: (id: string, status: ExitStatus) => void = () => {};

  constructor(dependencies: ContainerDependencies) {
    this.dependencies = dependencies;
    this.index = new ContainerIndex(dependencies.database);
    this.bundles = new BundleWriter(dependencies.host, dependencies.settings, () => dependencies.files.readMountInfo());
    this.users = new UserFileReader(dependencies.paths, (layers, path) =>
      dependencies.files.readRootFile(layers, path),
    );
  }

  /** It runs: whoever follows containers looks at it from now on. */
  watched(container: Container): void {
    for (const observer of this.observers) observer.watched?.(container);
  }

  /** The opposite. */
  unwatched(container: Container): void {
    for (const observer of this.observers) observer.unwatched?.(container);
  }

  /** It ended, or is removed. */
  ended(container: Container): void {
    this.unwatched(container);
    for (const observer of this.observers) observer.ended?.(container);
  }

  /** Publishes a container event with Docker's attributes: image, name, the labels, and `extra`. */
  publish(container: Container, action: string, extra: Record<string, string> = {}): void {
    const { record } = container;
    this.dependencies.events.publish('container', action, container.id, {
      ...record.config.Labels,
      ...extra,
      image: record.config.Image,
      name: record.name,
    });
  }

  /**
   * Saves what the kernel has decided already: a full disk cannot undo it. It is written when there is room again, and what a
   * crash loses before that, adoption finds out.
   */
  saveFact(container: Container): void {
    this.index.saveSoon(container, (error) => this.dependencies.report(`save container ${container.id}`, error));
  }

  /** Lets work go on after an answer was given; its failure is reported, and `settled` waits for it. */
  background(what: string, work: Promise<unknown>): void {
    const tracked: Promise<void> = work
      .then(
        () => {},
        (error: unknown) => this.dependencies.report(what, error),
      )
      .then(() => {
        this.#background.delete(tracked);
      });
    this.#background.add(tracked);
  }

  /** Resolves when no work is left in the background. */
  async settled(): Promise<void> {
    while (this.#background.size > 0) await Promise.all(this.#background);
    await this.dependencies.files.settled();
  }

  /** The container's cgroup, relative to the hierarchies' roots. */
  cgroupOf({ record }: Pick<Container, 'record'>): string {
    const parent = record.hostConfig.CgroupParent || this.dependencies.settings.cgroupParent;
    const parts = parent.split('/').filter((part) => part !== '' && part !== '.' && part !== '..');
    return `/${[...parts, record.id].join('/')}`;
  }

  /** Everything below the container's own layer, the top first. Error: `not-found` for an image that is gone. */
  async lowerLayers(container: Container): Promise<string[]> {
    const { images, files } = this.dependencies;
    const { image } = container.record;
    container.imageLayers ??= image === '' ? [] : images.resolve(image).lower;
    return [await files.initLayer(image, container.imageLayers), ...container.imageLayers];
  }

  /** Wakes a paused container, so that a signal can reach it. */
  async thaw(container: Container): Promise<void> {
    if (container.state !== 'paused' && container.state !== 'removing') return;
    await this.dependencies.freezer.thaw(this.cgroupOf(container));
    if (container.state !== 'paused') return;
    container.move('unpause');
    this.index.save(container);
    this.watched(container);
  }

  /** The pid of the running container that a mode such as `container:<id>` names. Error: in dockerd's words. */
  pidOfMode(mode: string, kind: 'IPC' | 'PID' | 'network'): number {
    const reference = mode.slice('container:'.length);
    const prefix = kind === 'network' ? 'joining network namespace of container' : `failed to join ${kind} namespace`;
    let target: Container;
    try {
      target = this.index.find(reference);
    } catch (cause) {
      // A `not-found` would be taken for this container's own.
      throw new BerthError('internal', `${prefix}: No such container: ${reference}`, { cause });
    }
    const { IpcMode } = target.record.hostConfig;
    if (kind === 'IPC' && IpcMode !== 'shareable' && IpcMode !== 'host')
      throw new BerthError(
        'conflict',
        `${prefix}: container ${target.id}: non-shareable IPC (hint: use IpcMode:shareable for the donor container)`,
      );
    if (target.pid === 0)
      throw new BerthError('conflict', `${prefix}: cannot join namespace of a non running container: ${target.id}`);
    if (target.state === 'restarting')
      throw new BerthError('conflict', `Container ${target.id} is restarting, wait until the container is running`);
    return target.pid;
  }
}
