/** What Bun does wrong, so that our code stays away from it. When one of these goes red the hazard is gone: say so in the code. */
import { expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Glob } from 'bun';
import { repository } from '../support/repository.ts';

test('http.Server.listen({ fd }) opens a TCP port instead of the descriptor', async () => {
  const server = createServer();
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen({ fd: 0 }, resolve);
  await promise;
  expect((server.address() as AddressInfo).port).toBeGreaterThan(0);
  server.close();
});

test('the source calls neither http.Server.listen({ fd }) nor Bun.serve, nor net.Socket({ fd })', () => {
  for (const path of new Glob('src/**/*.ts').scanSync(repository)) {
    const text = readFileSync(`${repository}/${path}`, 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
    expect({ path, serve: /\bBun\.serve\(/.test(text) }).toEqual({ path, serve: false });
    expect({ path, socket: /new (net\.)?Socket\(\{\s*fd\b/.test(text) }).toEqual({ path, socket: false });
  }
});
