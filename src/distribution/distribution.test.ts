import { describe, expect, test } from 'bun:test';
import { BerthError } from '../api/errors.ts';
import { parseReference } from '../oci/reference.ts';
import { parseChallenges } from './challenge.ts';
import { credentialsOf } from './credentials.ts';
import { proxyFor } from './proxy.ts';
import { type Endpoint, Registries } from './registries.ts';
import { networkError, pullError, RegistryError, responseError } from './registry-errors.ts';

describe('challenges', () => {
  const cases: [string, string, ReturnType<typeof parseChallenges>][] = [
    ['nothing', '', []],
    ['basic', 'Basic realm="a b"', [{ scheme: 'basic', parameters: { realm: 'a b' } }]],
    [
      'bearer',
      'Bearer realm="https://a/token",service="s",scope="repository:x/y:pull,push"',
      [{ scheme: 'bearer', parameters: { realm: 'https://a/token', service: 's', scope: 'repository:x/y:pull,push' } }],
    ],
    [
      'two, with a quoted quote',
      'Basic realm="a\\"b", Bearer realm=https://x,service=s',
      [
        { scheme: 'basic', parameters: { realm: 'a"b' } },
        { scheme: 'bearer', parameters: { realm: 'https://x', service: 's' } },
      ],
    ],
    ['a bare scheme', 'Negotiate', [{ scheme: 'negotiate', parameters: {} }]],
    ['garbage', '"""', []],
  ];
  test.each(cases)('%s', (_name, header, expected) => {
    expect(parseChallenges(header)).toEqual(expected);
  });
});

describe('endpoints', () => {
  const bases = (registries: Registries, domain: string) =>
    registries.endpoints(domain).map((endpoint) => `${endpoint.base} ${endpoint.verify}`);
  test('Docker Hub, others, loopback, insecure ones', () => {
    const registries = new Registries({ insecureRegistries: ['10.1.0.0/16', 'old.example:5000', '[fd00::1]:5000'] });
    expect(bases(registries, 'docker.io')).toEqual(['https://registry-1.docker.io true']);
    expect(bases(registries, 'ghcr.io')).toEqual(['https://ghcr.io true']);
    expect(bases(registries, 'localhost:5000')).toEqual([
      'https://localhost:5000 false',
      'http://localhost:5000 false',
    ]);
    expect(bases(registries, '[::1]:5000')).toEqual(['https://[::1]:5000 false', 'http://[::1]:5000 false']);
    expect(bases(registries, '10.1.2.3')).toEqual(['https://10.1.2.3 false', 'http://10.1.2.3 false']);
    expect(bases(registries, '10.2.2.3')).toEqual(['https://10.2.2.3 true']);
    expect(bases(registries, 'old.example:5000').length).toBe(2);
    expect(bases(registries, 'old.example').length).toBe(1);
    expect(bases(registries, '[fd00::1]:5000').length).toBe(2);
  });
  test('a loopback registry that speaks http is asked so the next time', () => {
    const registries = new Registries();
    const [, plain] = registries.endpoints('localhost:5000');
    registries.answered(plain as Endpoint);
    expect(bases(registries, 'localhost:5000')[0]).toBe('http://localhost:5000 false');
    expect(bases(registries, 'localhost:5001')[0]).toBe('https://localhost:5001 false');
    registries.answered({ base: 'https://localhost:5000', isMirror: false, verify: false });
    expect(bases(registries, 'localhost:5000')[0]).toBe('https://localhost:5000 false');
    // Nobody can talk a registry that is not insecure out of TLS.
    registries.answered({ base: 'http://ghcr.io', isMirror: false, verify: false });
    expect(bases(registries, 'ghcr.io')).toEqual(['https://ghcr.io true']);
  });
  test('mirrors come first, of their own registry only', () => {
    const registries = new Registries({ mirrors: ['https://u:p%40@m.example/v/', 'ghcr.io=http://127.0.0.1:9'] });
    expect(registries.endpoints('docker.io')[0]).toEqual({
      base: 'https://m.example/v',
      isMirror: true,
      verify: true,
      credentials: { username: 'u', password: 'p@' },
    });
    expect(bases(registries, 'ghcr.io')).toEqual(['http://127.0.0.1:9 false', 'https://ghcr.io true']);
    expect(bases(registries, 'quay.io')).toEqual(['https://quay.io true']);
  });
  const bad: [object, string][] = [
    [{ mirrors: ['nonsense'] }, 'not a valid URI'],
    [{ mirrors: ['ftp://x'] }, 'unsupported scheme "ftp"'],
    [{ mirrors: ['https://x/?q'] }, 'query or fragment'],
    [{ insecureRegistries: ['http://x'] }, "should not contain '://'"],
    [{ insecureRegistries: ['-x'] }, 'is not valid'],
  ];
  test.each(bad)('refused: %p', (settings, message) => {
    expect(() => new Registries(settings)).toThrow(message);
  });
});

describe('proxies', () => {
  const environment = {
    HTTPS_PROXY: 'http://p:1',
    http_proxy: 'p:2',
    NO_PROXY: 'a.example, .b.example,*.c.example,10.0.0.0/8,d.example:5000,192.168.1.1',
  };
  const cases: [url: string, proxy: string | null][] = [
    ['https://x.example/', 'http://p:1'],
    ['http://x.example/', 'http://p:2'],
    ['https://a.example/', null],
    ['https://sub.a.example/', null],
    ['https://nota.example/', 'http://p:1'],
    ['https://sub.b.example/', null],
    ['https://sub.c.example/', null],
    ['https://10.9.8.7/', null],
    ['https://11.9.8.7/', 'http://p:1'],
    ['https://192.168.1.1/', null],
    ['https://d.example:5000/', null],
    ['https://d.example/', 'http://p:1'],
    ['http://localhost:5000/', null],
    ['http://127.0.0.9/', null],
    ['http://[::1]:5000/', null],
  ];
  test.each(cases)('%s', (url, proxy) => {
    expect(proxyFor(new URL(url), environment)).toBe(proxy);
  });
  test('none, and for nobody', () => {
    expect(proxyFor(new URL('https://x/'), {})).toBeNull();
    expect(proxyFor(new URL('https://x/'), { HTTPS_PROXY: 'http://p', NO_PROXY: '*' })).toBeNull();
  });
});

test('credentials', () => {
  const encoded = Buffer.from('user:pass:word').toString('base64');
  expect(credentialsOf(null)).toBeNull();
  expect(credentialsOf({})).toBeNull();
  expect(credentialsOf({ username: 'u', password: 'p', auth: encoded })).toMatchObject({ username: 'u' });
  expect(credentialsOf({ auth: encoded })).toEqual({ kind: 'password', username: 'user', password: 'pass:word' });
  expect(credentialsOf({ identitytoken: 't', username: 'u' })).toEqual({ kind: 'identity', token: 't' });
  expect(credentialsOf({ registrytoken: 't' })).toEqual({ kind: 'registry', token: 't' });
});

describe('errors are in dockerd’s words, with its status', () => {
  const reference = parseReference('user/app:v1');
  const response = (status: number, headers = {}) => new Response('', { status, statusText: 'Text', headers });
  const failure = (status: number, body: string, headers = {}): BerthError =>
    pullError(responseError(response(status, headers), body), reference);
  const errors = (code: string, message: string) => JSON.stringify({ errors: [{ code, message }] });
  const cases: [string, BerthError, BerthError][] = [
    [
      'denied',
      failure(403, errors('DENIED', 'requested access to the resource is denied')),
      new BerthError(
        'not-found',
        "pull access denied for user/app, repository does not exist or may require 'docker login': denied: requested access to the resource is denied",
      ),
    ],
    [
      'insufficient scope',
      failure(401, '', { 'www-authenticate': 'Bearer realm="r",error="insufficient_scope"' }),
      new BerthError(
        'not-found',
        "pull access denied for user/app, repository does not exist or may require 'docker login': denied: requested access to the resource is denied",
      ),
    ],
    [
      'no such tag',
      failure(404, errors('MANIFEST_UNKNOWN', 'manifest unknown')),
      new BerthError('not-found', 'manifest for user/app:v1 not found: manifest unknown: manifest unknown'),
    ],
    [
      'no such repository',
      failure(404, errors('NAME_UNKNOWN', 'repository name not known to registry')),
      new BerthError('not-found', 'repository user/app not found: name unknown: repository name not known to registry'),
    ],
    [
      'unauthorized',
      failure(401, '{"details":"incorrect username or password"}'),
      new BerthError('unauthorized', 'unauthorized: incorrect username or password'),
    ],
    ['500', failure(500, 'oops'), new BerthError('internal', 'received unexpected HTTP status: 500 Text')],
    [
      '429',
      failure(429, errors('TOOMANYREQUESTS', 'slow down')),
      new BerthError('unavailable', 'toomanyrequests: slow down'),
    ],
  ];
  test.each(cases)('%s', (_name, actual, expected) => {
    expect([actual.kind, actual.message]).toEqual([expected.kind, expected.message]);
  });
  test('the registry’s wish to be left alone is read', () => {
    expect(responseError(response(429, { 'retry-after': '7' }), '').retryAfter).toBe(7000);
    expect(responseError(response(503, { 'retry-after': 'Wed, 21 Oct 2026 07:28:00 GMT' }), '').retryAfter).toBe(0);
  });
  test('networks', () => {
    const url = new URL('https://r.example/v2/');
    const text = (code: string) => networkError({ code }, url).message;
    expect(text('ECONNREFUSED')).toBe(
      'Get "https://r.example/v2/": dial tcp r.example:443: connect: connection refused',
    );
    expect(text('DEPTH_ZERO_SELF_SIGNED_CERT')).toBe(
      'Get "https://r.example/v2/": tls: failed to verify certificate: x509: certificate signed by unknown authority',
    );
    expect(text('ENOTFOUND')).toContain('no such host');
    expect(pullError(networkError({ code: 'EPROTO' }, url), reference).code).toBe('registry-unreachable');
    expect(pullError(new RegistryError(418, '', 'teapot'), reference).kind).toBe('internal');
  });
});
