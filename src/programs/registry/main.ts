/** `berth registry …`: puts the registry together over its directory, and serves it. */
import { createHmac, randomBytes } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { BerthError, errorMessage } from '../../api/errors.ts';
import type { RegistryAccounts, RegistryProgram, RegistrySettings } from '../../cli/registry-program.ts';
import { lockFile } from '../../host/files/file-lock.ts';
import { Transfers } from '../../host/transfer/transfers.ts';
import { AccessTokens } from '../../registry-server/access/access-tokens.ts';
import { Accounts } from '../../registry-server/access/accounts.ts';
import { Browsers } from '../../registry-server/access/browsers.ts';
import { Guard } from '../../registry-server/access/guard.ts';
import { PasswordCheck } from '../../registry-server/access/passwords.ts';
import { Tokens } from '../../registry-server/access/tokens.ts';
import { Mirror } from '../../registry-server/mirror/mirror.ts';
import { readAuths, Upstreams } from '../../registry-server/mirror/upstreams.ts';
import { type PageFront, Registry } from '../../registry-server/registry.ts';
import { Content } from '../../registry-server/storage/content.ts';
import { FileBlobs } from '../../registry-server/storage/file-blobs.ts';
import { registryMigrations } from '../../registry-server/storage/schema.ts';
import { SqliteIndex } from '../../registry-server/storage/sqlite-index.ts';
import { SqliteShowcase } from '../../registry-server/storage/sqlite-showcase.ts';
import { HttpConnection, type HttpHandler } from '../../server/http/connection.ts';
import { limitHandshakes } from '../../server/http/handshake-limit.ts';
import { keepLogShort } from '../../store/db/checkpoints.ts';
import { BerthDatabase } from '../../store/db/database.ts';
import { createLogger, type Logger } from '../daemon/logger.ts';
import { passwords } from './passwords.ts';
import { selfSigned, type TlsFiles } from './self-signed.ts';
import { TrafficCollection } from './traffic-collection.ts';
import { startTransferThread } from './transfer-thread.ts';

/** A connection on which nothing moves for so long is closed. */
const idleMilliseconds = 120_000;
/** Milliseconds that a client may take for a request's head. */
const headTimeout = 30_000;
/** That move the bytes of blobs; each costs about ten megabytes, and comes when there is work for it. */
const mostThreads = 4;

export const registryProgram: RegistryProgram = { serve, accounts };

/** Gives the exit status when a signal has ended it. Errors: the directory is in use, an address is taken. */
async function serve(settings: RegistrySettings): Promise<number> {
  const log = createLogger({ least: settings.debug ? 'debug' : 'info', format: 'text' });
  await mkdir(settings.root, { recursive: true, mode: 0o700 });
  if (!lockFile(join(settings.root, 'lock')))
    throw new BerthError('conflict', `another registry uses ${settings.root} already`);
  const { registry, close } = await openRegistry(settings, log);
  const connections = new Set<Socket>();
  const collection = new TrafficCollection();
  const servers = await listen(settings, log, (socket) => {
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
    collection.add(socket);
    socket.setNoDelay(true);
    const handle: HttpHandler = (request, response) => void registry.handle(request, response);
    const connection = new HttpConnection(socket, handle, { head: headTimeout });
    // Nobody asks anything, or nobody takes the answer; what the registry itself takes long for is left alone.
    socket.setTimeout(idleMilliseconds, () => {
      if (connection.idle || socket.writableLength > 0) socket.destroy();
    });
  });
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve());
  });
  log.info('stopping');
  for (const server of servers) server.close();
  // What arrived of an upload stays; its client goes on with the next registry.
  for (const socket of connections) socket.destroy();
  await close();
  return 0;
}

async function openRegistry(
  settings: RegistrySettings,
  log: Logger,
): Promise<{ registry: Registry; close(): Promise<void> }> {
  const path = join(settings.root, 'registry.db');
  const database = new BerthDatabase(path, registryMigrations);
  const transfers = new Transfers({
    start: startTransferThread,
    most: Math.min(availableParallelism(), mostThreads),
    onFailure: (error) => log.warn(`bodies go through the event loop: ${errorMessage(error)}`),
  });
  const content = new Content({
    blobs: await FileBlobs.open(settings.root, transfers),
    index: new SqliteIndex(database, settings.grace / 4),
    grace: settings.grace,
    uploadLifetime: settings.uploadLifetime,
  });
  const users = new Accounts(database);
  const accessTokens = new AccessTokens(database);
  const check = new PasswordCheck({
    accounts: users,
    accessTokens,
    passwords,
    htpasswd: settings.htpasswd || null,
    maySignUp: settings.maySignUp,
  });
  const tokens = new Tokens(tokenKey(database));
  const guard = new Guard({
    accounts: users,
    passwords: check,
    tokens,
    scheme: settings.authentication,
    everythingIsPublic: settings.isPublic,
  });
  const loadPages = async (): Promise<PageFront> => {
    const { Pages } = await import('../../registry-server/pages/pages.ts');
    return new Pages({
      ...{ content, guard, accessTokens, passwords: check, accounts: users, hashes: passwords },
      browsers: new Browsers(database),
      showcase: new SqliteShowcase(database),
      key: createHmac('sha256', tokenKey(database)).update('pages').digest(),
      mayDelete: settings.mayDelete,
      maySignUp: settings.maySignUp,
    });
  };
  let pages: Promise<PageFront> | null = null;
  const registry = new Registry({
    pages: settings.hasPages
      ? () => {
          pages ??= loadPages();
          return pages;
        }
      : null,
    content,
    guard,
    passwords: check,
    tokens,
    mirror: await openMirror(settings, content, log),
    mayDelete: settings.mayDelete,
    mayBeSparse: settings.mayBeSparse,
    onAnswer: ({ method, target, status, error }) => {
      const line = `${method} ${target}: ${status} ${errorMessage(error)}`;
      if (status >= 500) log.error(line);
      else log.debug(line);
    },
  });
  const report = (error: unknown): void => log.error(`collection: ${errorMessage(error)}`);
  const stopCheckpoints = keepLogShort(database, path, report);
  const timer = setInterval(() => void content.collect().catch(report), settings.collectionInterval);
  void content
    .recover()
    .then(() => content.collect())
    .catch(report);
  return {
    registry,
    async close() {
      clearInterval(timer);
      stopCheckpoints();
      transfers.close();
      await database.durable();
      database.close();
    },
  };
}

async function openMirror(settings: RegistrySettings, content: Content, log: Logger): Promise<Mirror | null> {
  if (settings.mirrors.length === 0) return null;
  const auths = settings.mirrorCredentials ? await readAuths(settings.mirrorCredentials) : {};
  const upstreams = new Upstreams(settings.mirrors, auths);
  return new Mirror({ content, upstreams, report: (message) => log.warn(message) });
}

/** Made at the first start; whoever has it can sign tokens. */
function tokenKey(database: BerthDatabase): Buffer {
  const known = database.meta('token-key');
  if (known) return Buffer.from(known, 'base64');
  const key = randomBytes(32);
  database.setMeta('token-key', key.toString('base64'));
  return key;
}

/** Null: plain http. */
async function tlsFiles(settings: RegistrySettings): Promise<TlsFiles | null> {
  const { tlsCertificate, tlsKey, selfSignedNames } = settings;
  if (tlsCertificate !== '')
    return { cert: await readFile(tlsCertificate, 'utf8'), key: await readFile(tlsKey, 'utf8') };
  return selfSignedNames.length > 0 ? selfSigned(join(settings.root, 'tls'), selfSignedNames) : null;
}

async function listen(
  settings: RegistrySettings,
  log: Logger,
  onConnection: (socket: Socket) => void,
): Promise<Server[]> {
  const tls = await tlsFiles(settings);
  const servers: Server[] = [];
  for (const address of settings.addresses) {
    const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:]*)):(\d{1,5})$/.exec(address);
    if (!match) throw new BerthError('invalid', `invalid address: ${address}`);
    const server = tls
      ? limitHandshakes(createTlsServer({ ...tls, allowHalfOpen: true }, (socket: TLSSocket) => onConnection(socket)))
      : createServer({ allowHalfOpen: true }, onConnection);
    const host = match[1] ?? match[2] ?? '';
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      // Without a host: on IPv6 too, where the machine has it.
      server.listen({ port: Number(match[3]), ...(host !== '' && { host }) }, resolve);
    });
    const bound = server.address();
    const { address: at, port } = typeof bound === 'object' && bound ? bound : { address: host, port: match[3] };
    const shown = host || (at.includes(':') ? `[${at}]` : at);
    log.info(`registry listens on ${tls ? 'https' : 'http'}://${shown}:${port}`);
    servers.push(server);
  }
  return servers;
}

async function accounts(root: string): Promise<RegistryAccounts> {
  await mkdir(root, { recursive: true, mode: 0o700 });
  const database = new BerthDatabase(join(root, 'registry.db'), registryMigrations);
  const users = new Accounts(database);
  return {
    add: async (user) => users.add({ ...user, password: await passwords.hash(user.password) }),
    remove: (name) => users.remove(name),
    setPassword: async (name, password) => users.setPassword(name, await passwords.hash(password)),
    users: () => users.users(),
    setPublic: (namespace, isPublic) => users.setPublic(namespace, isPublic),
    grant: (namespace, user, role) => users.grant(namespace, user, role),
    close: () => database.close(),
  };
}
