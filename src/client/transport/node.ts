/** The transport of the client library under Node 22 and newer. */
import { createConnection, isIP, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls, TLSSocket } from 'node:tls';
import { ByteQueue } from './byte-queue.ts';
import type { Connection, Endpoint, TlsSettings, Transport } from './transport.ts';

class NodeConnection implements Connection {
  private readonly queue: ByteQueue;
  private readonly socket: Socket;
  private open = true;

  constructor(socket: Socket) {
    this.socket = socket;
    this.queue = new ByteQueue({ pause: () => socket.pause(), resume: () => socket.resume() });
    socket.on('data', (bytes: Buffer) => this.queue.push(bytes));
    socket.on('end', () => this.queue.finish());
    socket.on('error', (error) => {
      this.open = false;
      this.queue.fail(error);
    });
    socket.on('close', () => {
      this.open = false;
      this.queue.finish();
    });
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

  write(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      if (!this.open) {
        reject(new Error('the connection was closed'));
        return;
      }
      this.socket.write(bytes, (error) => (error ? reject(error) : resolve()));
    });
  }

  end(): void {
    if (this.open) this.socket.end();
  }

  close(): void {
    this.open = false;
    this.socket.destroy();
  }
}

function connect(endpoint: Endpoint): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const socket = endpoint.kind === 'tcp' && endpoint.tls ? secure(endpoint, endpoint.tls) : plain(endpoint);
    socket.once('error', reject);
    socket.once(socket instanceof TLSSocket ? 'secureConnect' : 'connect', () => {
      socket.off('error', reject);
      resolve(new NodeConnection(socket));
    });
  });
}

function plain(endpoint: Endpoint): Socket {
  const where = endpoint.kind === 'unix' ? { path: endpoint.path } : { host: endpoint.host, port: endpoint.port };
  return createConnection({ ...where, allowHalfOpen: true });
}

function secure({ host, port }: { host: string; port: number }, { ca, cert, key, verify = true }: TlsSettings): Socket {
  // An address is no server name (RFC 6066, section 3); the certificate is compared with it all the same.
  const servername = isIP(host) ? '' : host;
  const options: ConnectionOptions & { allowHalfOpen: boolean } = { host, port, servername, allowHalfOpen: true };
  return connectTls({ ...options, ca, cert, key, rejectUnauthorized: verify });
}

export const nodeTransport: Transport = { connect };
