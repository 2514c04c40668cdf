/** Joins a hijacked connection with the streams of a process, half-close both ways. */
import type { Socket } from 'node:net';
import type { Duplex, Readable, Transform } from 'node:stream';
import { DetachFilter } from '../../wire/detach-keys.ts';
import { lingeringClose } from './connection.ts';

export interface BridgeOptions {
  /** False: what the client sends is read over. */
  stdin: boolean;
  /** Keys after which the client leaves; null: none are looked for. */
  detachKeys: Uint8Array | null;
  onDetach(): void;
  /** Brings the output into another form; absent: it is passed on as it is. */
  reshape?: Transform | null;
}

const noop = (): void => {};

/**
 * Copies until the process's side ends or the client is gone. The client's end is passed on as the end of stdin; output goes on. Output
 * that was given is written before the connection closes. Never rejects.
 */
export function bridge(client: Socket, process: Duplex, options: BridgeOptions): Promise<void> {
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

    process.on('error', finish);
    process.on('drain', resumeClient);
    output.on('data', (chunk: Buffer) => {
      if (!over && client.writable && !client.write(chunk)) output.pause();
    });
    output.once('end', finish);
    process.once('close', options.reshape ? () => options.reshape?.end() : finish);
    client.resume();
  });
}
