/** TLS under both transports: who is believed, what is shown, and that the stream is as good as one in clear text. */
import { describe, expect, test } from 'bun:test';
import type { AddressInfo, Socket } from 'node:net';
import { createServer, type TlsOptions } from 'node:tls';
import { selfSigned } from '../../../test/support/certificate.ts';
import { readText } from '../http/read-all.ts';
import { bunTransport } from './bun.ts';
import { nodeTransport } from './node.ts';
import type { TlsSettings, Transport } from './transport.ts';

const engine = selfSigned('DNS:localhost', 'IP:127.0.0.1');
const stranger = selfSigned('DNS:elsewhere.example');
const user = selfSigned('DNS:user');

async function serve(options: TlsOptions): Promise<AsyncDisposable & { port: number }> {
  const server = createServer({ allowHalfOpen: true, ...options }, (socket: Socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => socket.write(bytes.toString().toUpperCase()));
    socket.on('end', () => socket.end(' and the end'));
  });
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { port, [Symbol.asyncDispose]: async () => void server.close() };
}

const transports: [string, Transport][] = [
  ['Bun', bunTransport],
  ['Node', nodeTransport],
];

describe.each(transports)('%s', (_name, transport) => {
  async function talk(port: number, host: string, tls: TlsSettings): Promise<string> {
    const connection = await transport.connect({ kind: 'tcp', host, port, tls });
    await connection.write(new TextEncoder().encode('said'));
    connection.end();
    const text = await readText(connection);
    connection.close();
    return text;
  }

  test('a certificate that is vouched for, by name and by address; half-close', async () => {
    await using server = await serve(engine);
    expect(await talk(server.port, 'localhost', { ca: engine.cert })).toBe('SAID and the end');
    expect(await talk(server.port, '127.0.0.1', { ca: engine.cert })).toBe('SAID and the end');
  });

  test('a certificate that nobody vouches for, or of another host', async () => {
    await using server = await serve(stranger);
    await expect(talk(server.port, 'localhost', {})).rejects.toThrow();
    await expect(talk(server.port, 'localhost', { ca: engine.cert })).rejects.toThrow();
    await expect(talk(server.port, 'localhost', { ca: stranger.cert })).rejects.toThrow(/altname|hostname/i);
    expect(await talk(server.port, 'localhost', { verify: false })).toBe('SAID and the end');
  });

  test('the client shows its own', async () => {
    await using server = await serve({ ...engine, requestCert: true, rejectUnauthorized: true, ca: user.cert });
    expect(await talk(server.port, 'localhost', { ca: engine.cert, ...user })).toBe('SAID and the end');
    expect(await talk(server.port, 'localhost', { ca: engine.cert }).catch(() => 'refused')).not.toContain('SAID');
  });
});
