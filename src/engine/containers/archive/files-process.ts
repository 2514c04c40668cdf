/** One run of `shim files`. */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { BerthError } from '../../../api/errors.ts';

/** Why it ended; see shim/files.c. */
export const filesExit = { nothing: 2, processGone: 6, archive: 65 } as const;

/** What was asked about, for messages. */
export interface FilesSubject {
  reference: string;
  path: string;
}

export class FilesProcess {
  readonly output: Readable;
  readonly input: Writable;
  /** Settles with the exit code. */
  readonly ended: Promise<number>;
  readonly #child: ChildProcess;
  #message = '';

  constructor(program: string, words: readonly string[]) {
    const child = spawn(program, ['files', ...words], { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child = child;
    this.output = child.stdout;
    this.input = child.stdin;
    child.stdin.on('error', () => undefined); // EPIPE: its exit says why
    child.stderr.on('data', (chunk: Buffer) => {
      this.#message += chunk.toString();
    });
    const { promise, resolve } = Promise.withResolvers<number>();
    child.on('error', (error) => {
      this.#message = error.message;
      resolve(1);
    });
    child.on('close', (code) => resolve(code ?? 1));
    this.ended = promise;
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  /** What an exit code means, in dockerd's words and with its statuses. */
  error(code: number, { reference, path }: FilesSubject): BerthError {
    const message = this.#message.trim() || 'the work on the files was interrupted';
    switch (code) {
      case filesExit.nothing:
        return new BerthError('not-found', `Could not find the file ${path} in container ${reference}`);
      case 3:
      case 4:
      case 5:
        return new BerthError('invalid', message);
      case filesExit.archive:
        return new BerthError('internal', archiveMessage(message));
      default:
        return new BerthError('internal', message);
    }
  }
}

/** What is wrong with an upload, as Go's packages say it. */
function archiveMessage(message: string): string {
  const outside = /^invalid archive: a name leads outside of the layer: (.*)$/s.exec(message);
  if (outside) return `invalid entry name ${JSON.stringify(outside[1])}`;
  return message === 'invalid tar header' ? `archive/tar: ${message}` : message;
}
