import type { FilesProcess } from './files-process.ts';

/** A client that sends nothing for so long, in milliseconds, is not waited for by those who need the container. */
const patience = 5_000;
const lookAgain = 500;

/**
 * Files on their way into a container that does not run. Its root is mounted for that, and two mounts of one upper directory do not know of
 * each other, so a start and a further upload wait for its end; nobody else does.
 */
export class Upload {
  /** Settles when the root is let go. */
  readonly ended: Promise<unknown>;
  readonly #process: FilesProcess;
  #lastByteAt = performance.now();
  #isOver = false;

  constructor(process: FilesProcess) {
    this.#process = process;
    this.ended = process.ended.then(() => {
      this.#isOver = true;
    });
  }

  /** The client has sent something. */
  readonly progressed = (): void => {
    this.#lastByteAt = performance.now();
  };

  /** Ends it as it stands: the container goes. */
  async stop(): Promise<void> {
    this.#process.kill();
    await this.ended;
  }

  /** Waits for its end; a client that has stalled loses its turn. */
  async finish(): Promise<void> {
    while (!this.#isOver) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, lookAgain);
      await Promise.race([this.ended, promise]);
      clearTimeout(timer);
      if (!this.#isOver && performance.now() - this.#lastByteAt > patience) await this.stop();
    }
  }
}
