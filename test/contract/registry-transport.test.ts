/** TLS, proxies and redirects of the registry client, against real servers. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test';
import { login } from '../../src/distribution/login.ts';
import { Registries } from '../../src/distribution/registries.ts';
import { Transport } from '../../src/distribution/transport.ts';
import { RegistryQueries } from '../../src/engine/images/registry-queries.ts';
import { selfSigned } from '../support/certificate.ts';
import { imageFixture, indexFixture } from '../support/image-fixture.ts';
import { PullBench } from '../support/pull-bench.ts';
import { TestRegistry } from '../support/registry.ts';

let secure: TestRegistry;
let misnamed: TestRegistry;
let plain: TestRegistry;
const image = imageFixture();
beforeAll(async () => {
  secure = await TestRegistry.start({ tls: selfSigned('IP:127.0.0.1') });
  misnamed = await TestRegistry.start({ tls: selfSigned('DNS:other.example') });
  plain = await TestRegistry.start();
});
afterAll(async () => {
  for (const registry of [secure, misnamed, plain]) await registry.stop();
});
afterEach(() => {
  plain.clearFaults();
});

describe('TLS', () => {
  const strict = new Transport({ isInsecure: () => false });
  test('a certificate of nobody, and one for another name, are refused in dockerd’s words', async () => {
    await expect(strict.send({ url: `${secure.url}/v2/` })).rejects.toThrow(
      `Get "${secure.url}/v2/": tls: failed to verify certificate: x509: certificate signed by unknown authority`,
    );
    await expect(strict.send({ url: `${misnamed.url}/v2/` })).rejects.toThrow(
      'tls: failed to verify certificate: x509: ',
    );
    expect(secure.requests).toEqual([]);
  });
  test('plain http where TLS is expected', async () => {
    await expect(strict.send({ url: `${plain.url.replace('http:', 'https:')}/v2/` })).rejects.toThrow(
      'http: server gave HTTP response to HTTPS client',
    );
  });
  test('a registry on loopback needs no certificate that is known', async () => {
    const bench = await PullBench.start();
    expect((await bench.pull(secure.add('app/one', 'v1', image))).error).toBeNull();
    await bench.stop();
  });
  test('a redirect out of TLS is refused, and so are credentials for it', async () => {
    secure.fail(/secret/, { kind: 'redirect', to: `${plain.url}/elsewhere` });
    const before = plain.requests.length;
    const trusting = new Transport({ isInsecure: (host) => host === secure.host });
    await expect(trusting.send({ url: `${secure.url}/secret` })).rejects.toThrow('redirect from https to http refused');
    expect(plain.requests.length).toBe(before);
  });
});

describe('proxies', () => {
  test('carry what they are for; credentials and paths arrive whole', async () => {
    const saved = { ...process.env };
    process.env.HTTP_PROXY = plain.url;
    process.env.NO_PROXY = '';
    try {
      const transport = new Transport({ isInsecure: () => true });
      const response = await transport.send({ url: 'http://registry.test/v2/', authorization: 'Basic x' });
      expect(plain.requests.at(-1)?.path).toBe('http://registry.test/v2/');
      expect(plain.requests.at(-1)?.headers.authorization).toBe('Basic x');
      await response.body?.cancel();
      // Loopback goes directly, though Bun's own rules would proxy it.
      const direct = await transport.send({ url: `${plain.url}/v2/` });
      expect(direct.status).toBe(200);
      expect(plain.requests.at(-1)?.path).toBe('/v2/');
    } finally {
      for (const name of ['HTTP_PROXY', 'NO_PROXY']) {
        if (saved[name] === undefined) delete process.env[name];
        else process.env[name] = saved[name];
      }
    }
  });
});

describe('limits', () => {
  test('a host that never answers', async () => {
    plain.fail(/never/, { kind: 'hang' });
    const transport = new Transport({ isInsecure: () => true, headTimeout: 50 });
    await expect(transport.send({ url: `${plain.url}/never` })).rejects.toThrow('Client.Timeout exceeded');
  });
  test('the caller’s signal ends the wait and the body', async () => {
    const transport = new Transport({ isInsecure: () => true });
    plain.fail(/never/, { kind: 'hang' });
    const abort = new AbortController();
    const waiting = transport.send({ url: `${plain.url}/never`, signal: abort.signal });
    abort.abort(new Error('left'));
    await expect(waiting).rejects.toThrow('left');
  });
  test('an endless manifest is cut off', async () => {
    const bench = await PullBench.start();
    const endless = { ...image.manifest, bytes: new Uint8Array(5 * 1024 * 1024) };
    const outcome = await bench.pull(plain.addManifest('app/endless', 'v1', endless));
    expect(outcome.error?.message).toContain('longer than 4194304 bytes');
    await bench.stop();
  });
});

describe('questions', () => {
  test('distribution inspect: image and index, with their platforms', async () => {
    const queries = new RegistryQueries(new Registries());
    const name = plain.add('app/one', 'v1', image);
    const platform = { os: 'linux', architecture: image.platform.architecture };
    expect(await queries.distribution(name, null)).toEqual({
      Descriptor: {
        mediaType: image.manifest.mediaType,
        digest: image.manifest.digest,
        size: image.manifest.bytes.length,
      },
      Platforms: [platform],
    });
    const index = indexFixture([image, imageFixture({ platform: { os: 'linux', architecture: 's390x' } })]);
    const inspected = await queries.distribution(plain.addManifest('app/index', 'v1', index), null);
    expect(inspected.Descriptor.digest).toBe(index.digest);
    expect(inspected.Platforms).toEqual([platform, { os: 'linux', architecture: 's390x' }]);
    await expect(queries.distribution(`${plain.host}/none`, null)).rejects.toMatchObject({ kind: 'not-found' });
    await expect(queries.distribution('Foo', null)).rejects.toMatchObject({ kind: 'invalid' });
  });

  test('login: right, wrong, nobody there', async () => {
    const registries = new Registries();
    const basic = await TestRegistry.start({ auth: { kind: 'basic', user: 'u', password: 'p' } });
    const token = await TestRegistry.start({
      auth: { kind: 'token', user: 'u', password: 'p', identityToken: 'refresh' },
    });
    const right = { username: 'u', password: 'p' };
    expect(await login({ ...right, serveraddress: basic.host }, registries)).toEqual({ identityToken: '' });
    expect(await login({ ...right, serveraddress: `http://${token.host}/v1/` }, registries)).toEqual({
      identityToken: 'refresh',
    });
    await expect(login({ username: 'u', password: 'x', serveraddress: basic.host }, registries)).rejects.toThrow(
      `login attempt to ${basic.url}/v2/ failed with status: 401 Unauthorized`,
    );
    await expect(login({ username: 'u', password: 'x', serveraddress: token.host }, registries)).rejects.toMatchObject({
      kind: 'unauthorized',
      message: `Get "${token.url}/v2/": unauthorized: incorrect username or password`,
    });
    await expect(login({ ...right, serveraddress: '127.0.0.1:1' }, registries)).rejects.toThrow('connection refused');
    for (const registry of [basic, token]) await registry.stop();
  });
});
