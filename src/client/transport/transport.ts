/** How the client reaches an engine: a two-way stream of bytes. Two implementations, one contract suite (`transport.test.ts`). */

/** Where an engine listens. */
export type Endpoint =
  | { kind: 'unix'; path: string }
  | { kind: 'tcp'; host: string; port: number; tls?: TlsSettings | undefined };

/** TLS of a connection; certificates and keys as PEM text. */
export interface TlsSettings {
  /** Who may have signed the engine's certificate; absent: the system's authorities. */
  ca?: string;
  /** The client's own certificate and its key. */
  cert?: string;
  key?: string;
  /** False: whoever answers is believed (Docker's `--tls` without `--tlsverify`). */
  verify?: boolean;
}

/** A stream of bytes that is pulled; nobody reads ahead of its consumer without bound. */
export interface ByteReader {
  /** Bytes that are here already; undefined when there are none yet or at the end. Never waits. */
  take(): Uint8Array | undefined;
  /** The next bytes; null at the end. Rejects when the connection broke. One call at a time. */
  read(): Promise<Uint8Array | null>;
}

/** An open connection. */
export interface Connection extends ByteReader {
  /** Resolves once the bytes are on their way and more are welcome. Rejects when the peer is gone. One call at a time. */
  write(bytes: Uint8Array): Promise<void>;
  /** Ends our direction; the peer's goes on. */
  end(): void;
  /** Ends both directions at once. Safe to call twice. */
  close(): void;
  /** False once either side has ended or the connection broke. */
  readonly alive: boolean;
}

export interface Transport {
  /** Rejects with the system's error (`code` `ENOENT`, `ECONNREFUSED`, `EACCES`, …). */
  connect(endpoint: Endpoint): Promise<Connection>;
}
