/** The small applets of the native helper program, each in a child so that the engine's loop never waits for a disk. */
import { spawn } from 'node:child_process';
import { BerthError } from '../api/errors.ts';

/** Arguments a run may have together; the kernel takes 2 MiB. */
const longestArguments = 512 * 1024;

export class NativeHelper {
  readonly program: string;

  constructor(program: string) {
    this.program = program;
  }

  /** Removes trees of any depth; what is not there is no error. Error: `internal`. */
  async remove(paths: readonly string[]): Promise<void> {
    let batch: string[] = [];
    let length = 0;
    for (const path of paths) {
      if (length + path.length > longestArguments) {
        await this.#run(['remove', ...batch]);
        batch = [];
        length = 0;
      }
      batch.push(path);
      length += path.length + 1;
    }
    if (batch.length > 0) await this.#run(['remove', ...batch]);
  }

  /** Resolves when everything written to the file system of `path` is on disk. Error: `internal`. */
  sync(path: string): Promise<void> {
    return this.#run(['sync', path]);
  }

  #run(argv: string[]): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const child = spawn(this.program, argv, { stdio: ['ignore', 'ignore', 'pipe'] });
    let message = '';
    child.stderr.on('data', (data: Buffer) => {
      message += data.toString();
    });
    child.on('error', (cause) => reject(new BerthError('internal', `${this.program}: ${cause.message}`, { cause })));
    child.on('close', (code) =>
      code === 0 ? resolve() : reject(new BerthError('internal', message.trim() || `${argv[0]} failed (${code})`)),
    );
    return promise;
  }
}
