import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { BerthError, errorMessage } from '../../api/errors.ts';
import { namesIn } from '../../base/names-in.ts';
import { overlayDirectory, overlayEntry, readOverlayFile } from '../../host/files/overlay-root.ts';
import { readInRoot } from '../../host/files/read-in-root.ts';
import { NativeHelper } from '../../store/native-helper.ts';
import type { Paths } from '../../store/paths.ts';
import type { BundleFiles, ContainerFiles } from './context.ts';
import { InitLayers } from './init-layers.ts';

/** A longer passwd or group file counts as missing. */
const longestUserFile = 4 * 1024 * 1024;

export interface DiskFilesOptions {
  paths: Paths;
  /** The native helper program. */
  helper: string;
  report(message: string, error: unknown): void;
}

/** The disk behind the containers. */
export class DiskFiles implements ContainerFiles {
  readonly #options: DiskFilesOptions;
  readonly #helper: NativeHelper;
  readonly #initLayers: InitLayers;
  readonly #deletions = new Set<Promise<void>>();

  constructor(options: DiskFilesOptions) {
    this.#options = options;
    this.#helper = new NativeHelper(options.helper);
    this.#initLayers = new InitLayers(options.paths);
  }

  async prepare(id: string): Promise<void> {
    const paths = this.#options.paths.container(id);
    try {
      await mkdir(paths.directory, { mode: 0o710 });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    await Promise.all([
      mkdir(paths.upper, { recursive: true, mode: 0o755 }),
      mkdir(paths.work, { recursive: true, mode: 0o700 }),
      mkdir(paths.logDirectory, { recursive: true, mode: 0o710 }),
    ]);
  }

  initLayer(key: string, lower: readonly string[]): Promise<string> {
    return this.#initLayers.find(key, lower);
  }

  async writeBundle(id: string, files: BundleFiles): Promise<void> {
    const paths = this.#options.paths.container(id);
    await mkdir(paths.bundle, { recursive: true, mode: 0o710 });
    const writes = [writeFile(join(paths.bundle, 'config.json'), files.config, { mode: 0o600 })];
    if (files.hosts !== null) writes.push(writeFile(paths.hosts, files.hosts, { mode: 0o644 }));
    if (files.hostname !== null) writes.push(writeFile(paths.hostname, files.hostname, { mode: 0o644 }));
    if (files.resolvConf !== null) writes.push(writeFile(paths.resolvConf, files.resolvConf, { mode: 0o644 }));
    await Promise.all(writes);
  }

  removeBundle(id: string): Promise<void> {
    return rm(this.#options.paths.container(id).bundle, { recursive: true, force: true });
  }

  discard(id: string): Promise<void> {
    const { directory } = this.#options.paths.container(id);
    const deletion: Promise<void> = rm(directory, { recursive: true, force: true })
      .catch((error: unknown) => this.#options.report(`delete ${directory}`, error))
      .then(() => {
        this.#deletions.delete(deletion);
      });
    this.#deletions.add(deletion);
    return Promise.resolve();
  }

  async bundles(): Promise<Set<string>> {
    return new Set(await namesIn(this.#options.paths.bundles));
  }

  runtimeStates(): Promise<string[]> {
    return namesIn(this.#options.paths.runtime);
  }

  removeRuntimeState(id: string): Promise<void> {
    return rm(join(this.#options.paths.runtime, id), { recursive: true, force: true });
  }

  async discardExcept(known: (id: string) => boolean): Promise<void> {
    for (const id of await namesIn(this.#options.paths.containers)) if (!known(id)) await this.discard(id);
  }

  sourceExists(path: string): Promise<boolean> {
    return this.#helper.exists(path);
  }

  async makeSource(path: string): Promise<void> {
    try {
      await this.#helper.makeDirectory(path);
    } catch (error) {
      throw new BerthError('internal', `error while creating mount source path '${path}': ${errorMessage(error)}`, {
        cause: error,
      });
    }
  }

  async readRootFile(layers: readonly string[], path: string): Promise<string> {
    return (await readOverlayFile(layers, path, longestUserFile))?.toString('utf8') ?? '';
  }

  async readRunningFile(pid: number, path: string): Promise<string> {
    return (await readInRoot(`/proc/${pid}/root`, path, longestUserFile))?.toString('utf8') ?? '';
  }

  readMountInfo(): Promise<string> {
    return readFile('/proc/self/mountinfo', 'utf8');
  }

  async hasEntry(layers: readonly string[], path: string): Promise<boolean> {
    for (let place = path; place !== '/'; place = dirname(place)) {
      const entry = await overlayEntry(layers, place);
      if (entry) return place === path || entry.isSymbolicLink();
    }
    return false;
  }

  async mergedDirectory(layers: readonly string[], path: string): Promise<readonly string[] | null> {
    const parts = await overlayDirectory(layers, path);
    if (parts === null || parts.length > 1) return parts;
    // Overlay wants two.
    const empty = this.#options.paths.initLayer('empty');
    await mkdir(empty, { recursive: true, mode: 0o755 });
    return [...parts, empty];
  }

  async copyUp(layers: readonly string[], path: string, directory: string): Promise<void> {
    if ((await readdir(directory)).length > 0) return;
    const scratch = join(this.#options.paths.temporary, `copy-up-${randomBytes(8).toString('hex')}`);
    await mkdir(scratch, { mode: 0o700 });
    try {
      await this.#helper.copyUp({ layers, path }, directory, scratch);
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  }

  async sizesOf(ids: readonly string[]): Promise<number[]> {
    const trees = await this.#helper.measure(ids.map((id) => this.#options.paths.container(id).upper));
    return trees.map(({ bytes }) => bytes);
  }

  async settled(): Promise<void> {
    while (this.#deletions.size > 0) await Promise.all(this.#deletions);
  }
}
