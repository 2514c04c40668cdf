import { afterAll, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chooseTls, type TlsChoice } from './tls.ts';

const folder = mkdtempSync(join(tmpdir(), 'berth-tls-'));
afterAll(() => rmSync(folder, { recursive: true }));
for (const name of ['ca', 'cert', 'key']) writeFileSync(join(folder, `${name}.pem`), name);

const flags = { tls: false, tlsverify: false, tlscacert: '', tlscert: '', tlskey: '' };
const base: TlsChoice = { flags, environment: {}, configDirectory: '/nowhere', contextTls: undefined };
const all = { ca: 'ca', cert: 'cert', key: 'key', verify: true };

test('clear text unless asked for', async () => {
  expect(await chooseTls(base)).toBeUndefined();
  expect(await chooseTls({ ...base, contextTls: { files: {}, skipVerify: false } })).toBeUndefined();
});

test('flags, variables and contexts', async () => {
  const environment = { DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: folder };
  expect(await chooseTls({ ...base, environment })).toEqual(all);
  expect(await chooseTls({ ...base, flags: { ...flags, tlsverify: true }, configDirectory: folder })).toEqual(all);
  const tls = { ...flags, tls: true };
  // Nobody is checked: nobody must vouch, and a certificate of one's own is not needed.
  expect(await chooseTls({ ...base, flags: tls })).toEqual({ verify: false });
  expect(await chooseTls({ ...base, flags: tls, configDirectory: folder })).toEqual({
    verify: false,
    cert: 'cert',
    key: 'key',
  });
  const files = { 'ca.pem': 'a', 'cert.pem': 'b', 'key.pem': 'c' };
  expect(await chooseTls({ ...base, environment, contextTls: { files, skipVerify: false } })).toEqual({
    ...{ ca: 'a', cert: 'b', key: 'c', verify: true },
  });
  expect(await chooseTls({ ...base, contextTls: { files: {}, skipVerify: true } })).toEqual({ verify: false });
});

test('who wants the engine checked must say against what', async () => {
  await expect(chooseTls({ ...base, flags: { ...flags, tlsverify: true } })).rejects.toThrow(
    'unable to resolve docker endpoint: ENOENT',
  );
  await expect(chooseTls({ ...base, flags: { ...flags, tls: true, tlscert: '/nowhere/x' } })).rejects.toThrow('ENOENT');
});
