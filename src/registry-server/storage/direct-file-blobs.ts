/** Bytes between connections and files past the event loop. */
import type { FileHandle } from 'node:fs/promises';
import type { LentBody, LentConnection } from '../http.ts';
import { type DirectBlobs, slowestUpload } from './types.ts';

/** Threads that move bytes between descriptors: `host/transfer` satisfies it by shape. */
export interface FileTransfers {
  readonly isAvailable: boolean;
  receive(
    order: Pick<LentBody, 'framing' | 'ahead' | 'isLocal'> & {
      socket: number;
      file: number;
      position: number;
      key: string;
      pace: Pace;
    },
    watch: WatchForEnd,
  ): Promise<{ position: number; behind: Uint8Array }>;
  send(
    order: { socket: number; isLocal: boolean; file: number; start: number; end: number; pace: Pace },
    watch: WatchForEnd,
  ): Promise<void>;
  /** The SHA-256 in hexadecimal of what was received for `key` from the file's beginning, where that is `length` bytes. */
  digest(key: string, length: number): Promise<string | null>;
  forget(key: string): void;
}

interface Pace {
  bytes: number;
  milliseconds: number;
}
type WatchForEnd = (leave: () => void) => () => void;

/** A client that takes nothing at all for so long is cut off. */
const slowestDownload: Pace = { bytes: 1, milliseconds: 120_000 };

interface Files {
  openUpload(id: string): Promise<FileHandle>;
  openBlob(digest: string): Promise<FileHandle>;
}

export class DirectFileBlobs implements DirectBlobs {
  readonly #transfers: FileTransfers;
  readonly #files: Files;

  constructor(transfers: FileTransfers, files: Files) {
    this.#transfers = transfers;
    this.#files = files;
  }

  get isAvailable(): boolean {
    return this.#transfers.isAvailable;
  }

  async append(id: string, body: LentBody): Promise<number> {
    let behind: Uint8Array | null = null;
    try {
      const file = await this.#files.openUpload(id);
      try {
        const { size } = await file.stat();
        const { framing, ahead, isLocal } = body;
        const received = await this.#transfers.receive(
          {
            framing,
            ahead,
            isLocal,
            socket: body.descriptor(),
            file: file.fd,
            position: size,
            key: id,
            pace: slowestUpload,
          },
          (leave) => watchClose(body, leave),
        );
        ({ behind } = received);
        return received.position;
      } finally {
        await file.close();
      }
    } finally {
      body.giveBack(behind);
    }
  }

  async send(digest: string, { start, end }: { start: number; end: number }, to: LentConnection): Promise<void> {
    const file = await this.#files.openBlob(digest);
    try {
      await this.#transfers.send(
        { socket: to.descriptor(), isLocal: to.isLocal, file: file.fd, start, end, pace: slowestDownload },
        (leave) => watchClose(to, leave),
      );
    } finally {
      await file.close();
    }
  }

  /** The SHA-256 of the upload in hexadecimal, where all of its bytes came this way. Forgets what it knows. */
  digest(id: string, size: number): Promise<string | null> {
    return this.#transfers.digest(id, size);
  }

  forget(id: string): void {
    this.#transfers.forget(id);
  }
}

function watchClose({ connection }: LentConnection, leave: () => void): () => void {
  connection.once('close', leave);
  return () => connection.off('close', leave);
}
