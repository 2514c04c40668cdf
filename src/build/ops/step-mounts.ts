/** What is mounted while a step runs, prepared on this machine. */
import { chmod, chown, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { BerthError } from '../../api/errors.ts';
import { KeyedMutex } from '../../base/mutex.ts';
import type { PreparedMount } from '../../oci/step.ts';
import type { NativeHelper } from '../../store/native-helper.ts';
import type { StepMount } from '../graph/operations.ts';
import { digestOf } from '../graph/vertex.ts';
import { type FileSource, toPath } from '../session/file-source.ts';
import { followLinks, type TreeAttributes } from '../session/layered-files.ts';
import type { RunContext, Solved } from '../solve/runner.ts';
import { filesOf } from './copy.ts';
import { placeAll } from './place-all.ts';
import type { BuildSession, BuildValue } from './values.ts';

type Work = { session: BuildSession; context: RunContext };
type Release = () => Promise<void>;

/** Mounts for one step, and what gives them back. */
export interface PreparedMounts {
  mounts: PreparedMount[];
  /** Secrets as variables. */
  env: string[];
  release: Release[];
}

export interface MountMakerOptions {
  /** Where caches are kept. */
  directory: string;
  helper: NativeHelper;
  attributes: TreeAttributes;
}

export class MountMaker {
  readonly #options: MountMakerOptions;
  readonly #locks = new KeyedMutex();
  /** Caches of `sharing=private` that a step uses now. */
  readonly #taken = new Set<string>();
  #serial = 0;

  constructor(options: MountMakerOptions) {
    this.#options = options;
  }

  /** Error: `not-found` for a source or a required secret that is not there; nothing is held then. */
  async prepare(
    mounts: readonly StepMount[],
    inputs: readonly Solved<BuildValue>[],
    work: Work,
  ): Promise<PreparedMounts> {
    const prepared: PreparedMounts = { mounts: [], env: [], release: [] };
    try {
      for (const mount of mounts) await this.#prepareOne(mount, inputs, { ...work, prepared });
      return prepared;
    } catch (error) {
      await releaseAll(prepared.release);
      throw error;
    }
  }

  async #prepareOne(
    mount: StepMount,
    inputs: readonly Solved<BuildValue>[],
    work: Work & { prepared: PreparedMounts },
  ): Promise<void> {
    const { prepared, session } = work;
    switch (mount.type) {
      case 'bind': {
        const files = await filesOf(inputs[mount.input]?.value, this.#options.attributes);
        prepared.mounts.push(await this.#bind(files, mount, session.lease.directory));
        return;
      }
      case 'tmpfs':
        prepared.mounts.push({ kind: 'tmpfs', target: mount.target, size: mount.size });
        return;
      case 'cache': {
        const { attributes } = this.#options;
        const files = mount.input === null ? null : await filesOf(inputs[mount.input]?.value, attributes);
        prepared.mounts.push(await this.#cache(mount, files, work));
        return;
      }
      case 'secret':
        return this.#secret(mount, work);
      case 'ssh': {
        const socket = await session.sshAgent(mount.id);
        if (socket !== null) {
          prepared.mounts.push({ kind: 'bind', target: mount.target, source: socket, readonly: false });
          prepared.env.push(`SSH_AUTH_SOCK=${mount.target}`);
        } else if (mount.required) {
          throw new BerthError('not-found', `unset ssh forward key ${mount.id}`);
        }
      }
    }
  }

  async #bind(files: FileSource, mount: Extract<StepMount, { type: 'bind' }>, scratch: string): Promise<PreparedMount> {
    const { target, writable } = mount;
    const path = await followLinks(files, toPath(mount.source), true);
    if (path === null)
      throw new BerthError('not-found', `failed to compute cache key: ${JSON.stringify(mount.source)}: not found`);
    const places = (await files.places(path)).map((place) => place.toString());
    const [top = ''] = places;
    if (!writable && places.length === 1) return { kind: 'bind', target, source: top, readonly: true };
    if (!writable) return { kind: 'overlay', target, lower: places, upper: null, work: null };
    if ((await files.entry(path))?.type !== 'directory')
      throw new BerthError('invalid', `${mount.source} is a file: only a directory can be mounted for writing`);
    const place = join(scratch, `mount-${this.#serial++}`);
    const [upper, workDirectory] = [join(place, 'upper'), join(place, 'work')];
    await mkdir(upper, { recursive: true, mode: 0o755 });
    await mkdir(workDirectory, { mode: 0o700 });
    return { kind: 'overlay', target, lower: places, upper, work: workDirectory };
  }

  async #cache(
    mount: Extract<StepMount, { type: 'cache' }>,
    files: FileSource | null,
    { prepared, context }: Work & { prepared: PreparedMounts },
  ): Promise<PreparedMount> {
    const identity = files && (await files.identity());
    const key = digestOf({ id: mount.id, from: identity, source: mount.source }).slice('sha256:'.length, 39);
    let directory = join(this.#options.directory, key);
    if (mount.sharing === 'locked') prepared.release.push(await this.#lock(key, context.signal));
    if (mount.sharing === 'private') {
      for (let number = 2; this.#taken.has(directory); number++)
        directory = join(this.#options.directory, `${key}-${number}`);
      const mine = directory;
      this.#taken.add(mine);
      prepared.release.push(() => {
        this.#taken.delete(mine);
        return Promise.resolve();
      });
    }
    await this.#fill(directory, mount, files);
    return { kind: 'bind', target: mount.target, source: directory, readonly: mount.readonly };
  }

  /** A cache that is new gets its owner and what it is to begin with. */
  async #fill(
    directory: string,
    mount: Extract<StepMount, { type: 'cache' }>,
    files: FileSource | null,
  ): Promise<void> {
    await this.#locks.run(`fill ${directory}`, async () => {
      await mkdir(this.#options.directory, { recursive: true, mode: 0o711 });
      try {
        await mkdir(directory, { mode: 0o755 });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EEXIST') return;
        throw error;
      }
      if (files) await placeAll(this.#options.helper, { files, path: mount.source, directory });
      await chown(directory, mount.uid, mount.gid);
      await chmod(directory, mount.mode);
    });
  }

  /** Waits until nobody else has the lock; gives what lets it go. */
  async #lock(key: string, signal: AbortSignal): Promise<Release> {
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    const { promise: entered, resolve: enter, reject } = Promise.withResolvers<void>();
    const leave = (): void => {
      reject(signal.reason);
      release();
    };
    signal.addEventListener('abort', leave, { once: true });
    void this.#locks.run(key, () => {
      enter();
      return held;
    });
    await entered;
    signal.removeEventListener('abort', leave);
    return () => {
      release();
      return Promise.resolve();
    };
  }

  async #secret(
    mount: Extract<StepMount, { type: 'secret' }>,
    { prepared, session }: Work & { prepared: PreparedMounts },
  ): Promise<void> {
    const content = await session.secret(mount.id);
    if (content === null) {
      if (mount.required) throw new BerthError('not-found', `secret ${mount.id}: not found`);
      return;
    }
    if (mount.env !== '') prepared.env.push(`${mount.env}=${Buffer.from(content).toString('utf8')}`);
    if (mount.target === '') return;
    const { target, uid, gid, mode } = mount;
    prepared.mounts.push({ kind: 'secret', target, content, uid, gid, mode });
  }
}

/** Gives back everything, in the opposite order. */
export async function releaseAll(release: readonly Release[]): Promise<void> {
  for (const one of release.toReversed()) await one();
}
