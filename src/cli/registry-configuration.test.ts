import { afterAll, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readRegistryConfiguration } from './registry-configuration.ts';

const directory = mkdtempSync(join(tmpdir(), 'berth-registry-configuration-'));
afterAll(() => rmSync(directory, { recursive: true }));

function file(text: string): string {
  const path = join(directory, `${crypto.randomUUID()}.yml`);
  writeFileSync(path, text);
  return path;
}

const usual = `version: 0.1
log: { level: debug, fields: { service: registry } }
storage:
  cache: { blobdescriptor: inmemory }
  filesystem: { rootdirectory: /data }
  delete: { enabled: false }
http:
  addr: :5001
  headers: { X-Content-Type-Options: [nosniff] }
health: { storagedriver: { enabled: true, interval: 10s } }
`;

test('what a file and the environment say, the environment above it', async () => {
  const { values, ignored } = await readRegistryConfiguration(file(usual), {
    REGISTRY_HTTP_ADDR: ':6000',
    REGISTRY_AUTH: 'htpasswd',
    REGISTRY_AUTH_HTPASSWD_REALM: 'realm',
    REGISTRY_AUTH_HTPASSWD_PATH: '/auth',
    REGISTRY_AUTH_FILE: '/podman/has/this',
    REGISTRY_URL: 'somebody else',
  });
  expect(Object.fromEntries(values)).toEqual({
    version: '0.1',
    'log.level': 'debug',
    'storage.filesystem.rootdirectory': '/data',
    'storage.delete.enabled': 'false',
    'http.addr': ':6000',
    'auth.htpasswd.path': '/auth',
  });
  expect(ignored).toEqual([]);
});

test('what changes nothing is named', async () => {
  const path = file(`${usual}notifications: { endpoints: [{ name: a }] }\nredis: { addr: x }\n`);
  const { ignored } = await readRegistryConfiguration(path, {});
  expect(ignored).toEqual([`notifications.endpoints of ${path}`, `redis.addr of ${path}`]);
});

const refused: [about: string, text: string, environment: Record<string, string>, says: string][] = [
  ['another store', 'version: 0.1\nstorage: { s3: { bucket: x } }', {}, 'there is no storage "s3" here'],
  ['another store in short', 'version: 0.1\nstorage: inmemory', {}, 'there is no storage "inmemory" here'],
  ['another store by the environment', '', { REGISTRY_STORAGE: 's3' }, 'REGISTRY_STORAGE cannot be obeyed'],
  ['its options alone', '', { REGISTRY_STORAGE_S3_BUCKET: 'x' }, 'REGISTRY_STORAGE_S3_BUCKET cannot be obeyed'],
  ['tokens of another server', 'version: 0.1\nauth: { token: { realm: x } }', {}, 'auth.token.realm of '],
  ['certificates of clients', 'version: 0.1\nhttp: { tls: { clientcas: [a] } }', {}, 'are not asked for'],
  ['read-only', 'version: 0.1\nstorage: { maintenance: { readonly: { enabled: true } } }', {}, 'takes pushes'],
  ['another version', 'version: 0.2', {}, 'version 0.2 is not supported'],
  ['no YAML', 'a: [', {}, 'YAML'],
];
for (const [about, text, environment, says] of refused)
  test(`refused: ${about}`, () =>
    expect(readRegistryConfiguration(text === '' ? '' : file(text), environment)).rejects.toThrow(says));
