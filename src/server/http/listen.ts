/** Where the engine listens: unix sockets, TCP, and sockets that a service manager opened. */
import { chmod, chown, lstat, mkdtemp, readFile, rename, rm, unlink } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { BerthError } from '../../api/errors.ts';
import { limitHandshakes } from './handshake-limit.ts';

/** PEM texts. */
export interface ServerTls {
  certificate: string;
  key: string;
  /** Only clients with a certificate of this authority come in; absent: all do. */
  clientAuthority?: string;
}

export interface ListenOptions {
  /** `unix:///path`, `tcp://host:port`, or `fd://` (all sockets of a service manager) or `fd://<number>`. */
  host: string;
  /** Group name or number that may use a unix socket; empty or unknown: root's. */
  group: string;
  /** For TCP; null: in clear text. */
  tls: ServerTls | null;
  onConnection(socket: Socket): void;
}

export interface Listener {
  /** As given; with the real port where 0 was asked for. */
  readonly host: string;
  /** No further connections; removes the unix socket. */
  close(): Promise<void>;
}

/** Error: `invalid` for an address that is none, `conflict` where another engine answers. */
export async function listen(options: ListenOptions): Promise<Listener> {
  const [, scheme, rest] = /^([a-z]+):\/\/(.*)$/.exec(options.host) ?? [];
  switch (scheme) {
    case 'unix':
      return listenUnix(rest as string, options);
    case 'tcp':
      return listenTcp(rest as string, options);
    case 'fd':
      return listenFd(rest as string, options);
    default:
      throw new BerthError('invalid', `Invalid bind address format: ${options.host}`);
  }
}

function serve(options: ListenOptions): Server {
  // The half that a client closed says nothing about the other: stdin ends before stdout does.
  return createServer({ allowHalfOpen: true }, options.onConnection);
}

/** As `serve`, behind a handshake. Who fails it is cut off by the runtime, who does not come to its end by us. */
function serveTls({ certificate, key, clientAuthority }: ServerTls, onConnection: (socket: Socket) => void): Server {
  const options = {
    cert: certificate,
    key,
    minVersion: 'TLSv1.2' as const,
    ...(clientAuthority !== undefined && { ca: clientAuthority, requestCert: true, rejectUnauthorized: true }),
    allowHalfOpen: true,
  };
  return limitHandshakes(createTlsServer(options, onConnection));
}

function bound(server: Server, start: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.once('listening', () => {
      server.off('error', reject);
      resolve();
    });
    start();
  });
}

function stopped(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}

/** The socket appears at its place with its mode and group already set: it is made beside it and moved there. */
async function listenUnix(path: string, options: ListenOptions): Promise<Listener> {
  if (!path.startsWith('/')) throw new BerthError('invalid', `Invalid bind address format: ${options.host}`);
  await refuseLiveSocket(path);
  const nest = await mkdtemp(join(dirname(path), '.s'));
  const hatched = join(nest, 's');
  const server = serve(options);
  try {
    await bound(server, () => server.listen(hatched));
    await chmod(hatched, 0o660);
    const group = await groupNumber(options.group);
    if (group !== null) await chown(hatched, 0, group);
    await rename(hatched, path);
  } catch (error) {
    server.close();
    throw error;
  } finally {
    await rm(nest, { recursive: true, force: true });
  }
  const ours = await lstat(path);
  return {
    host: options.host,
    async close() {
      const there = await lstat(path).catch(() => null);
      // Another engine may have taken the place meanwhile.
      if (there && there.ino === ours.ino) await unlink(path);
      await stopped(server);
    },
  };
}

async function refuseLiveSocket(path: string): Promise<void> {
  const there = await lstat(path).catch(() => null);
  if (!there) return;
  if (!there.isSocket()) throw new BerthError('conflict', `can't create unix socket ${path}: is not a socket`);
  const alive = await new Promise<boolean>((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });
  if (alive) throw new BerthError('conflict', `can't create unix socket ${path}: another engine answers there`);
}

async function groupNumber(group: string): Promise<number | null> {
  if (group === '') return null;
  if (/^\d+$/.test(group)) return Number(group);
  const file = await readFile('/etc/group', 'utf8').catch(() => '');
  for (const line of file.split('\n')) {
    const [name, , number] = line.split(':');
    if (name === group && number) return Number(number);
  }
  return null;
}

async function listenTcp(address: string, options: ListenOptions): Promise<Listener> {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:/]*)):(\d+)\/?$/.exec(address);
  const port = Number(match?.[3]);
  if (!match || port > 65_535) throw new BerthError('invalid', `Invalid bind address format: ${options.host}`);
  const host = match[1] ?? (match[2] === '' ? '0.0.0.0' : (match[2] as string));
  const onConnection = (socket: Socket): void => {
    // Small answers go at once; a client whose machine is gone is noticed.
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 15_000);
    options.onConnection(socket);
  };
  const server = options.tls ? serveTls(options.tls, onConnection) : serve({ ...options, onConnection });
  await bound(server, () => server.listen({ port, host }));
  const real = server.address();
  const realPort = typeof real === 'object' && real ? real.port : port;
  return {
    host: `tcp://${match[1] ? `[${match[1]}]` : host}:${realPort}`,
    close: () => stopped(server),
  };
}

/**
 * Sockets of a service manager (sd_listen_fds(3)): `fd://` means all of them, `fd://<number>` one. Only `net.Server` listens on a
 * descriptor; the runtime's HTTP servers would open a TCP port instead.
 */
async function listenFd(number: string, options: ListenOptions): Promise<Listener> {
  if (!/^\d*$/.test(number)) throw new BerthError('invalid', `Invalid bind address format: ${options.host}`);
  const servers: Server[] = [];
  for (const fd of number === '' ? inheritedSockets() : [Number(number)]) {
    const server = serve(options);
    await bound(server, () => server.listen({ fd }));
    servers.push(server);
  }
  return {
    host: options.host,
    async close() {
      await Promise.all(servers.map(stopped));
    },
  };
}

/** Descriptors that were passed to this process. Error: `invalid` in dockerd's words. */
function inheritedSockets(): number[] {
  const { LISTEN_PID: pid, LISTEN_FDS: count } = process.env;
  if (!/^[1-9]\d{0,3}$/.test(count ?? '') || (pid && Number(pid) !== process.pid))
    throw new BerthError(
      'invalid',
      'no sockets found via socket activation: make sure the service was started by systemd',
    );
  // The first one has number 3.
  return Array.from({ length: Number(count) }, (_, index) => index + 3);
}
