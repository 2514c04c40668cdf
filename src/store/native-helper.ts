/** The small applets of the native helper program, each in a child so that the engine's loop never waits for a disk. */
import { spawn } from 'node:child_process';
import { pipeline } from 'node:stream/promises';
import { BerthError, errorMessage } from '../api/errors.ts';

/** Arguments a run may have together; the kernel takes 2 MiB. */
const longestArguments = 512 * 1024;

/** A tree that files are put into. */
export interface WritableTree {
  /** An empty directory that may be mounted over. */
  scratch: string;
  /** The top first; at least one. */
  lower: readonly string[];
  upper: string;
  work: string;
  /** Directory in the tree. */
  path: string;
  /** No directory takes the place of something else, nor the other way round. */
  keepsKinds?: boolean;
  /** Links in the directory lead nowhere but into it. */
  within?: boolean;
  /** Everything goes to them, whatever the archive says. */
  owner?: { uid: number; gid: number };
}

/** Files on their way to disk while they are written. */
export interface WriteBack {
  /** They are whole: what is left goes too. */
  finish(): void;
  /** They are not wanted any more. */
  stop(): void;
  /** Resolves when nobody looks at the directory any more. */
  readonly ended: Promise<void>;
}

export interface TreeSize {
  /** Of its regular files, one with several names counted once. */
  bytes: number;
  /** What all of it takes of the disk. */
  onDisk: number;
  /** Files, directories and the rest, without the tree's own root. */
  entries: number;
}

const failure = (message: string): BerthError => new BerthError('internal', message);

export class NativeHelper {
  readonly program: string;

  constructor(program: string) {
    this.program = program;
  }

  /** Error: `internal` with nothing but the text of the errno, in small letters as Go has it. @param flags of mount(2) */
  async mount(mount: { type: string; device: string; flags: number; data: string }, target: string): Promise<void> {
    const { type, device, flags, data } = mount;
    try {
      await this.#run(['mount', type, device, target, flags.toString(16), data]);
    } catch (error) {
      const text = errorMessage(error);
      throw new BerthError('internal', text.slice(0, 1).toLowerCase() + text.slice(1), { cause: error });
    }
  }

  /** Whatever is mounted there goes; nothing there is no error. Error: `internal`. */
  async unmount(target: string): Promise<void> {
    await this.#run(['unmount', target]);
  }

  /** Fills an empty directory with a copy of a tree, as it is (shim/tree-copy.h). Error: `internal`. */
  async copyTree(from: string, to: string, signal?: AbortSignal): Promise<void> {
    await this.#run(['copy-tree', from, to], signal);
  }

  /** What trees take, in their order; one that is not there takes nothing. Error: `internal`. */
  async measure(directories: readonly string[]): Promise<TreeSize[]> {
    const sizes: TreeSize[] = [];
    for (const batch of batches(directories)) {
      for (const line of (await this.#run(['measure', ...batch])).trimEnd().split('\n')) {
        const [bytes, onDisk, entries] = line.split(' ').map(Number);
        sizes.push({ bytes: bytes as number, onDisk: onDisk as number, entries: entries as number });
      }
    }
    return sizes;
  }

  /** Whether the host has something at a path, on whatever file system: one that hangs holds up a child. Error: `internal`. */
  async exists(path: string): Promise<boolean> {
    return (await this.#run(['source', path])).trim() === 'there';
  }

  /** Makes the directory at a path and all above it that is missing (shim/source.c). Error: `internal`. */
  async makeDirectory(path: string): Promise<void> {
    await this.#run(['source', path, 'make']);
  }

  /** Fills an empty directory with what layers have at a path. @param scratch an empty directory to mount over @param layers the top first */
  async copyUp(from: { layers: readonly string[]; path: string }, to: string, scratch: string): Promise<void> {
    await this.#run(['copy-up', scratch, to, from.path, ...from.layers]);
  }

  /** Removes trees of any depth; what is not there is no error. Error: `internal`. */
  async remove(paths: readonly string[]): Promise<void> {
    for (const batch of batches(paths)) await this.#run(['remove', ...batch]);
  }

  /** Resolves when everything below the paths is on disk, and their own names. Error: `internal`. */
  async sync(...paths: string[]): Promise<void> {
    for (const batch of batches(paths)) await this.#run(['sync', ...batch]);
  }

  /** Has the kernel write what grows below a directory to disk already now: a later `sync` finds it there. Never fails; see shim/write-back.c. */
  writeBack(directory: string): WriteBack {
    const child = spawn(this.program, ['write-back', directory], { stdio: ['pipe', 'ignore', 'ignore'] });
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    // Without it everything goes on as it would, only later.
    child.once('error', () => resolve()).once('close', () => resolve());
    child.stdin.on('error', () => undefined); // it has ended
    return { finish: () => child.stdin.end(), stop: () => void child.kill('SIGKILL'), ended };
  }

  /**
   * Unpacks a tar into the merged tree of `lower` and `upper`; links that are there are followed inside it. Errors: `invalid` for an archive that does
   * not fit, `internal` otherwise.
   */
  async writeTree(tree: WritableTree, content: AsyncIterable<Uint8Array>): Promise<void> {
    const words = ['files', '--scratch', tree.scratch];
    if (tree.keepsKinds) words.push('--no-overwrite');
    if (tree.within) words.push('--within');
    if (tree.owner) words.push('--owner', `${tree.owner.uid}:${tree.owner.gid}`);
    for (const layer of tree.lower) words.push('--lower', layer);
    words.push('--upper', tree.upper, '--work', tree.work, 'write', tree.path);
    await this.#feed(words, content);
  }

  /** Unpacks a tar into a directory of this machine; no name is a whiteout. Errors: `invalid` for a bad archive, `internal` otherwise. */
  async unpackPlain(directory: string, content: AsyncIterable<Uint8Array>): Promise<void> {
    await this.#feed(['unpack', '--plain', directory], content);
  }

  async #feed(words: string[], content: AsyncIterable<Uint8Array>): Promise<void> {
    const child = spawn(this.program, words, { stdio: ['pipe', 'ignore', 'pipe'] });
    let message = '';
    child.stderr.on('data', (data: Buffer) => {
      message += data.toString();
    });
    const { promise: ended, resolve, reject } = Promise.withResolvers<number | null>();
    child.once('error', reject).once('close', resolve);
    // Its exit says why it takes no more; a source that breaks off must not look whole.
    const fed = pipeline(content, child.stdin).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE' || error.code === 'ERR_STREAM_PREMATURE_CLOSE') return;
      child.kill('SIGKILL');
      throw error;
    });
    const [code] = await Promise.all([ended, fed]);
    if (code !== 0)
      throw new BerthError(code === 65 ? 'invalid' : 'internal', message.trim() || `writing files failed (${code})`);
  }

  /** Gives what it prints. */
  #run(argv: string[], signal?: AbortSignal): Promise<string> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const child = spawn(this.program, argv, { stdio: ['ignore', 'pipe', 'pipe'] });
    const stop = (): void => void child.kill('SIGKILL');
    signal?.addEventListener('abort', stop, { once: true });
    let output = '';
    let message = '';
    child.stdout.on('data', (data: Buffer) => {
      output += data.toString();
    });
    child.stderr.on('data', (data: Buffer) => {
      message += data.toString();
    });
    child.on('error', (cause) => reject(new BerthError('internal', `${this.program}: ${cause.message}`, { cause })));
    child.on('close', (code) => {
      signal?.removeEventListener('abort', stop);
      if (code === 0) resolve(output);
      else reject(signal?.aborted ? signal.reason : failure(message.trim() || `${argv[0]} failed (${code})`));
    });
    return promise;
  }
}

/** Paths in parts that one run can take. */
function* batches(paths: readonly string[]): Generator<string[]> {
  let batch: string[] = [];
  let length = 0;
  for (const path of paths) {
    if (length + path.length > longestArguments) {
      yield batch;
      batch = [];
      length = 0;
    }
    batch.push(path);
    length += path.length + 1;
  }
  if (batch.length > 0) yield batch;
}
