/** Another network namespace, entered for the length of a call: sockets made there stay there (setns(2), network_namespaces(7)). */
import { closeSync, openSync } from 'node:fs';
import { enterNetwork, lastErrno, SystemError } from './libc.ts';

/** The namespace of the thread that runs JavaScript, which need not be the process's first. */
const homePath = '/proc/thread-self/ns/net';
let home: number | null = null;

export class NetworkNamespace {
  readonly #file: number;

  /** Keeps the namespace alive until `close`. @param path `/proc/PID/ns/net`. Errors: those of open(2). */
  constructor(path: string) {
    home ??= openSync(homePath, 'r');
    this.#file = openSync(path, 'r');
  }

  /** Calls `work` inside. It must not wait for anything: everything that the thread does belongs to the namespace meanwhile. */
  run<T>(work: () => T): T {
    if (enterNetwork(this.#file) < 0) throw new SystemError('enter a network namespace', lastErrno());
    try {
      return work();
    } finally {
      // A thread in a stranger's network would serve everybody from there.
      if (enterNetwork(home as number) < 0) process.abort();
    }
  }

  close(): void {
    closeSync(this.#file);
  }
}
