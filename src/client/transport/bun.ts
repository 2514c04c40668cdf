/** The transport of the executable: `Bun.connect`, which costs a third of what `node:net` adds to the start of a program. */
import { ByteQueue } from './byte-queue.ts';
import type { Connection, Endpoint, Transport } from './transport.ts';

/** What of Bun's socket is used here. */
interface RawSocket {
  write(bytes: Uint8Array, offset?: number, length?: number): number;
  shutdown(): void;
  terminate(): void;
  pause(): void;
  resume(): void;
}

class BunConnection implements Connection {
  readonly queue: ByteQueue;
  private readonly socket: RawSocket;
  private drained: { resolve: () => void; reject: (error: Error) => void } | undefined;
  private open = true;
  private readonly hangup = new Error('the connection was closed');

  constructor(socket: RawSocket) {
    this.socket = socket;
    this.queue = new ByteQueue({ pause: () => socket.pause(), resume: () => socket.resume() });
  }

  get alive(): boolean {
    return this.open;
  }

  take(): Uint8Array | undefined {
    return this.queue.take();
  }

  read(): Promise<Uint8Array | null> {
    return this.queue.read();
  }

  async write(bytes: Uint8Array): Promise<void> {
    let offset = 0;
    while (offset < bytes.length) {
      if (!this.open) throw this.hangup;
      const written = this.socket.write(bytes, offset, bytes.length - offset);
      if (written < 0) throw this.hangup;
      offset += written;
      if (offset === bytes.length) return;
      await new Promise<void>((resolve, reject) => {
        this.drained = { resolve, reject };
      });
    }
  }

  end(): void {
    if (this.open) this.socket.shutdown();
  }

  close(): void {
    if (!this.open) return;
    this.lost(undefined);
    this.socket.terminate();
  }

  /** The socket takes bytes again. */
  drain(): void {
    const waiter = this.drained;
    this.drained = undefined;
    waiter?.resolve();
  }

  /** The peer has ended its direction. */
  peerEnded(): void {
    this.queue.finish();
  }

  /** Nothing goes either way any more. */
  lost(error: Error | undefined): void {
    this.open = false;
    if (error) this.queue.fail(error);
    else this.queue.finish();
    this.drained?.reject(error ?? this.hangup);
    this.drained = undefined;
  }
}

/** Bytes that the socket could not take yet are kept by us, so a connection is always found by its socket. */
async function connect(endpoint: Endpoint): Promise<Connection> {
  // Bun's own socket does not compare the certificate with the host's name; node:tls does.
  if (endpoint.kind === 'tcp' && endpoint.tls) return (await import('./node.ts')).nodeTransport.connect(endpoint);
  let connection: BunConnection | undefined;
  const handlers = {
    open(socket: RawSocket): void {
      connection = new BunConnection(socket);
    },
    data(_socket: RawSocket, bytes: Uint8Array): void {
      connection?.queue.push(bytes);
    },
    drain(): void {
      connection?.drain();
    },
    end(): void {
      connection?.peerEnded();
    },
    close(_socket: RawSocket, error?: Error): void {
      connection?.lost(error);
    },
    error(_socket: RawSocket, error: Error): void {
      connection?.lost(error);
    },
  };
  const where = endpoint.kind === 'unix' ? { unix: endpoint.path } : { hostname: endpoint.host, port: endpoint.port };
  await Bun.connect({ ...where, allowHalfOpen: true, socket: handlers } as unknown as Bun.UnixSocketOptions);
  if (!connection) throw new Error('the connection was closed before it opened');
  return connection;
}

export const bunTransport: Transport = { connect };
