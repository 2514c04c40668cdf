/** Joins a hijacked connection with the streams of a process, half-close both ways. */
import type { Duplex, Readable, Transform } from 'node:stream';
import { DetachFilter } from '../../wire/detach-keys.ts';
import { lingeringClose } from './lingering-close.ts';

export interface BridgeOptions {
  /** False: what the client sends is read over. */
  stdin: boolean;
  /** Keys after which the client leaves; null: none are looked for. */
  detachKeys: Uint8Array | null;
  onDetach(): void;
  /** When the head was written, on the clock of `performance.now()`; see `quietMilliseconds`. */
  headAt: number;
  /** Brings the output into another form; absent: it is passed on as it is. */
  reshape?: Transform | null;
}

const noop = (): void => {};

/**
 * No output follows the head sooner. docker-py reads the head through a buffer and goes on with the bare socket: what arrives together
 * with the head is lost to it. Processes need longer than this to say something, so it costs next to nothing.
 */
const quietMilliseconds = 5;

/** Resolves at once, or when the head is old enough. */
export function afterQuiet(headAt: number): Promise<void> | null {
  const wait = headAt + quietMilliseconds - performance.now();
  return wait <= 0 ? null : new Promise((resolve) => setTimeout(resolve, wait));
}

/**
 * Copies until the process's side ends or the client is gone. The client's end is passed on as the end of stdin; output goes on. Output
 * that was given is written before the connection closes. Never rejects.
 */
export function bridge(client: Duplex, process: Duplex, options: BridgeOptions): Promise<void> {
  return new Promise((resolve) => {
    let over = false;
    const finish = (): void => {
      if (over) return;
      over = true;
      process.destroy();
      client.off('data', onClientData);
      client.off('end', onClientEnd);
      client.off('drain', resumeProcess);
      lingeringClose(client);
      resolve();
    };
    const filter = options.detachKeys ? new DetachFilter(options.detachKeys) : null;
    const output: Readable = options.reshape ? process.pipe(options.reshape) : process;
    const resumeProcess = (): void => void output.resume();
    const resumeClient = (): void => void client.resume();

    const onClientData = (chunk: Buffer): void => {
      if (!options.stdin || !process.writable) return;
      let bytes: Uint8Array = chunk;
      if (filter) {
        const { pass, detached } = filter.push(chunk);
        if (detached) {
          if (pass.length > 0) process.write(pass);
          options.onDetach();
          finish();
          return;
        }
        bytes = pass;
      }
      if (bytes.length > 0 && !process.write(bytes)) client.pause();
    };
    const onClientEnd = (): void => {
      if (options.stdin && process.writable) process.end();
    };

    client.on('error', noop);
    client.on('drain', resumeProcess);
    client.on('data', onClientData);
    client.on('end', onClientEnd);
    client.once('close', finish);
    // It may have left before, while the engine was asked.
    if (client.destroyed) {
      finish();
      return;
    }

    process.on('error', finish);
    process.on('drain', resumeClient);
    const beginOutput = (): void => {
      if (over) return;
      if (output.destroyed) {
        finish();
        return;
      }
      output.on('data', (chunk: Buffer) => {
        if (!over && client.writable && !client.write(chunk)) output.pause();
      });
      output.once('end', finish);
      const { reshape } = options;
      if (!reshape) process.once('close', finish);
      else if (process.destroyed) reshape.end();
      else process.once('close', () => reshape.end());
    };
    const quiet = afterQuiet(options.headAt);
    if (quiet) void quiet.then(beginOutput);
    else beginOutput();
    // A client without input ends its half as soon as it has the head, which may have been before this began to listen.
    if (client.readableEnded) onClientEnd();
    else client.resume();
  });
}
