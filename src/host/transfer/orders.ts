/** What is said between the event loop (`transfers.ts`) and the threads that move bytes (`mover.ts`). */

/** How the end of a body is known: RFC 9112, section 6. */
export type BodyFraming = { kind: 'length'; length: number } | { kind: 'chunked' };

/** Whoever moves less than `bytes` in a window of `milliseconds` is cut off. */
export interface Pace {
  bytes: number;
  milliseconds: number;
}

/** Takes a body out of its chunks, inside the buffer that it is given. */
export interface ChunkDecoder {
  readonly done: boolean;
  take(input: Buffer): { bytes: Buffer | null; used: number };
}

interface Connection {
  /** Descriptors stay open until the answer; the mover closes none. */
  socket: number;
  /** The other side is on this machine. */
  isLocal: boolean;
}

export interface ReceiveOrder extends Connection {
  file: number;
  /** Where in the file the first byte goes. */
  position: number;
  framing: BodyFraming;
  /** Bytes behind the head that were read already. */
  ahead: Uint8Array;
  /** Of the SHA-256 that grows with the file from its first byte on; it is kept until it is asked for. */
  key: string;
  pace: Pace;
}

export interface SendOrder extends Connection {
  file: number;
  start: number;
  /** The last byte. */
  end: number;
  pace: Pace;
}

export type Order =
  | ({ kind: 'receive'; id: number } & ReceiveOrder)
  | ({ kind: 'send'; id: number } & SendOrder)
  | { kind: 'cancel'; id: number }
  | { kind: 'digest'; id: number; key: string; length: number }
  | { kind: 'forget'; key: string }
  | { kind: 'stop' };

/** Why a transfer broke off. */
export type Trouble =
  | { kind: 'call'; call: string; errno: number }
  /** The other side ended it. */
  | { kind: 'eof' }
  | { kind: 'slow' }
  | { kind: 'cancelled' }
  | { kind: 'malformed'; message: string };

export interface Outcome {
  id: number;
  /** Behind the last byte that was moved. */
  position: number;
  /** What was read of whatever follows the body. */
  behind: Uint8Array | null;
  /** For an order `digest`: hexadecimal; null where no hash knows so many bytes. */
  digest: string | null;
  trouble: Trouble | null;
}
