/** A server over fake backends on a unix socket of its own, and bare connections to it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from '../../../src/server/create-server.ts';
import { type Fake, fakeBackends, type Overrides } from './fake-backends.ts';

export interface Answer {
  status: number;
  headers: Map<string, string>;
  body: string;
}

export interface Served extends Fake {
  path: string;
  failures: { status: number; error: unknown }[];
  /** Sends one request; `body` as JSON unless it is text. */
  ask(method: string, target: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  dial(): Promise<Socket>;
  close(): Promise<void>;
}

export async function serve(overrides: Overrides = {}): Promise<Served> {
  const directory = await mkdtemp(join(tmpdir(), 'berth-api-'));
  const path = join(directory, 's');
  const fake = fakeBackends(overrides);
  const failures: Served['failures'] = [];
  const server = createServer({
    backends: fake.backends,
    engineVersion: '28.5.2',
    onFailure: (failure) => failures.push(failure),
  });
  await server.listen(`unix://${path}`, '');
  return {
    ...fake,
    path,
    failures,
    dial: () => dial(path),
    ask: (method, target, body, headers = {}) => ask(path, { method, target, body, headers }),
    async close() {
      await server.close(100);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

export function dial(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path, allowHalfOpen: true });
    socket.once('connect', () => resolve(socket));
    socket.once('error', reject);
  });
}

/** Everything until the other side ends. */
export async function readAll(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Reads until `pattern` is in what came. */
export function readUntil(socket: Socket, pattern: string | RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const data = (chunk: Buffer): void => {
      text += chunk.toString('latin1');
      if (typeof pattern === 'string' ? text.includes(pattern) : pattern.test(text)) done(() => resolve(text));
    };
    const end = (): void => done(() => reject(new Error(`ended after ${JSON.stringify(text)}`)));
    const done = (settle: () => void): void => {
      socket.off('data', data);
      socket.off('end', end);
      socket.off('error', end);
      settle();
    };
    socket.on('data', data);
    socket.on('end', end);
    socket.on('error', end);
  });
}

async function ask(
  path: string,
  request: { method: string; target: string; body: unknown; headers: Record<string, string> },
): Promise<Answer> {
  const socket = await dial(path);
  const { body } = request;
  const text = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body);
  const headers: Record<string, string> = {
    Host: 'x',
    Connection: 'close',
    ...(body === undefined
      ? {}
      : { 'Content-Type': 'application/json', 'Content-Length': String(Buffer.byteLength(text)) }),
    ...request.headers,
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`${request.method} ${request.target} HTTP/1.1\r\n${lines.join('')}\r\n${text}`);
  const raw = await readAll(socket);
  socket.end();
  return parseAnswer(raw);
}

export function parseAnswer(raw: Buffer): Answer {
  const end = raw.indexOf('\r\n\r\n');
  if (end < 0) throw new Error(`no answer: ${JSON.stringify(raw.toString('latin1'))}`);
  const [first, ...lines] = raw.toString('latin1', 0, end).split('\r\n');
  const headers = new Map(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)] as const),
  );
  const rest = raw.subarray(end + 4);
  const body = headers.get('transfer-encoding') === 'chunked' ? dechunk(rest) : rest.toString();
  return { status: Number((first as string).split(' ')[1]), headers, body };
}

function dechunk(raw: Buffer): string {
  const parts: Buffer[] = [];
  for (let position = 0; position < raw.length; ) {
    const end = raw.indexOf('\r\n', position);
    const size = Number.parseInt(raw.toString('latin1', position, end), 16);
    if (size === 0) break;
    parts.push(raw.subarray(end + 2, end + 2 + size));
    position = end + 2 + size + 2;
  }
  return Buffer.concat(parts).toString();
}
