/** What the registry needs of an HTTP server: `server/http` satisfies it by shape, a test may hand in its own. */
import type { Readable } from 'node:stream';

export interface RegistryRequest {
  readonly method: string;
  /** As it was sent: path and query. */
  readonly target: string;
  /** By lower-case name. */
  readonly headers: ReadonlyMap<string, string>;
  /** With a property `encrypted` where it is TLS. */
  readonly connection: object;
  /** Aborts when the client leaves before the answer is done. */
  readonly signal: AbortSignal;
  /** The body; ask once. @param ahead bytes to read before somebody asks for them */
  stream(ahead?: number): Readable;
  /** The connection, for whoever reads the body from its descriptor; null where only `stream` gives it. Error: the client has left. */
  lendBody(): Promise<LentBody | null>;
}

/** A connection in the hands of somebody who reads or writes its descriptor himself. */
export interface LentConnection {
  /** As it is now, -1 once the connection is closed; to be duplicated at once. */
  descriptor(): number;
  /** The other side is on this machine. */
  readonly isLocal: boolean;
  readonly connection: {
    once(event: 'close', listener: () => void): void;
    off(event: 'close', listener: () => void): void;
  };
}

export interface LentBody extends LentConnection {
  readonly framing: BodyFraming;
  /** The body's beginning, which was read already. */
  readonly ahead: Uint8Array;
  /** @param behind what was read of the next request; null: the body broke off */
  giveBack(behind: Uint8Array | null): void;
}

type BodyFraming = { kind: 'length'; length: number } | { kind: 'chunked' };

export interface RegistryResponse {
  /** Sent with whatever answer is given. */
  readonly headers: Record<string, string>;
  readonly started: boolean;
  readonly finished: boolean;
  readonly closed: boolean;
  send(status: number, headers: Readonly<Record<string, string>>, body?: string | Uint8Array): void;
  start(status: number, headers: Readonly<Record<string, string>>, length?: number): void;
  write(data: string | Uint8Array): boolean;
  drained(): Promise<void>;
  /** After `start` with a length: the connection, for whoever writes the body to its descriptor; null where it must come by `write`. */
  lend(): Promise<LentConnection | null>;
  end(): void;
  /** Breaks the answer off. */
  abort(): void;
}

/** Where a request comes from; of IPv6 the network, because whoever has one has all its addresses. */
export function networkOf({ connection }: RegistryRequest): string {
  const { remoteAddress = '' } = connection as { remoteAddress?: string };
  const address = remoteAddress.replace(/^::ffff:(?=\d+\.)/, '');
  return address.includes(':') ? address.split(':').slice(0, 4).join(':') : address;
}
