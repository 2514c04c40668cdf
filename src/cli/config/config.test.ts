import { afterAll, describe, expect, test } from 'bun:test';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '../../client/client.ts';
import { nodeTransport } from '../../client/transport/node.ts';
import type { Cli } from '../command.ts';
import { configDirectory, readConfigFile } from './config-file.ts';
import { registryAuthHeader } from './credentials.ts';
import { chooseHost, type HostChoice } from './host.ts';
import { proxyVariables } from './proxies.ts';
import { updateConfigFile } from './update-config.ts';

const folder = mkdtempSync(join(tmpdir(), 'berth-config-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function choose(choice: Partial<HostChoice>) {
  return chooseHost({ hosts: [], context: '', environment: {}, configDirectory: folder, config: {}, ...choice });
}

describe('the engine that is meant', () => {
  test.each([
    [{}, 'unix:///run/berth/berth.sock'],
    [{ environment: { DOCKER_HOST: 'unix:///d' } }, 'unix:///d'],
    [{ environment: { DOCKER_HOST: 'unix:///d', BERTH_HOST: 'unix:///b' } }, 'unix:///b'],
    [{ hosts: ['unix:///h'], environment: { BERTH_HOST: 'unix:///b' } }, 'unix:///h'],
    [{ hosts: ['1.2.3.4:2375'] }, 'tcp://1.2.3.4:2375'],
    [{ hosts: ['/a.sock'] }, 'unix:///a.sock'],
    [{ environment: { DOCKER_CONTEXT: 'default' } }, 'unix:///run/berth/berth.sock'],
  ])('%j', async (choice, host) => {
    expect((await choose(choice)).host).toBe(host);
  });

  test('a context is a file named after the digest of its name', async () => {
    const digest = new Bun.CryptoHasher('sha256').update('far').digest('hex');
    mkdirSync(join(folder, 'contexts/meta', digest), { recursive: true });
    writeFileSync(
      join(folder, 'contexts/meta', digest, 'meta.json'),
      '{"Name":"far","Endpoints":{"docker":{"Host":"tcp://far:1"}}}',
    );
    expect(await choose({ context: 'far' })).toMatchObject({ host: 'tcp://far:1', context: 'far' });
    expect(await choose({ config: { currentContext: 'far' } })).toMatchObject({ host: 'tcp://far:1', context: 'far' });
    expect((await choose({ config: { currentContext: 'far' }, environment: { DOCKER_HOST: 'unix:///d' } })).host).toBe(
      'unix:///d',
    );
    await expect(choose({ context: 'nowhere' })).rejects.toThrow(
      'Failed to initialize: unable to resolve docker endpoint: context "nowhere": context not found',
    );
  });

  test('contradictions', async () => {
    await expect(choose({ hosts: ['a', 'b'] })).rejects.toThrow('Specify only one -H');
    await expect(choose({ hosts: ['a'], context: 'b' })).rejects.toThrow(
      'conflicting options: cannot specify both --host and --context',
    );
  });
});

describe('config.json', () => {
  test('its folder', () => {
    expect(configDirectory('/flag', { DOCKER_CONFIG: '/env', HOME: '/h' })).toBe('/flag');
    expect(configDirectory('', { DOCKER_CONFIG: '/env', HOME: '/h' })).toBe('/env');
    expect(configDirectory('', { HOME: '/h' })).toBe('/h/.docker');
  });

  test('a link stays one when the file behind it is written', async () => {
    const directory = join(folder, 'linked');
    mkdirSync(directory);
    writeFileSync(join(folder, 'real.json'), '{"a":1}');
    symlinkSync(join(folder, 'real.json'), join(directory, 'config.json'));
    await updateConfigFile(directory, (config) => ({ ...config, b: 2 }));
    expect(lstatSync(join(directory, 'config.json')).isSymbolicLink()).toBe(true);
    expect(JSON.parse(readFileSync(join(folder, 'real.json'), 'utf8'))).toEqual({ a: 1, b: 2 });
  });

  test('whoever only reads is warned of a broken one, and goes on', async () => {
    const directory = join(folder, 'broken');
    mkdirSync(directory);
    writeFileSync(join(directory, 'config.json'), '{bad');
    const warnings: string[] = [];
    expect(await readConfigFile(directory, async (text) => warnings.push(text))).toEqual({});
    expect(warnings).toEqual([
      expect.stringContaining(`WARNING: Error parsing config file (${directory}/config.json): `),
    ]);
  });

  test('missing, broken, kept', async () => {
    const directory = join(folder, 'a');
    expect(await readConfigFile(directory)).toEqual({});
    await updateConfigFile(directory, (config) => ({ ...config, unknown: { kept: true } }));
    await updateConfigFile(directory, (config) => ({ ...config, psFormat: 'x' }));
    expect(await readConfigFile(directory)).toEqual({ unknown: { kept: true }, psFormat: 'x' });
    expect(statSync(join(directory, 'config.json')).mode & 0o777).toBe(0o600);
    writeFileSync(join(directory, 'config.json'), '{');
    await expect(readConfigFile(directory)).rejects.toThrow('loading config file');
    writeFileSync(join(directory, 'config.json'), '[]');
    await expect(readConfigFile(directory)).rejects.toThrow('it is no JSON object');
  });
});

function cli(config: Cli['config']): Cli {
  const silent = { write: async () => undefined };
  const client = new Client({ host: 'unix:///x', transport: nodeTransport });
  const registry = (): Promise<never> => Promise.reject(new Error('not here'));
  const common = { out: silent, err: silent, environment: {}, configDirectory: folder, context: 'default' };
  return { ...common, config, client, machine: registry, registry };
}

async function credentials(config: Cli['config'], domain: string): Promise<unknown> {
  const header = await registryAuthHeader(cli(config), domain);
  return header && JSON.parse(Buffer.from(header, 'base64url').toString());
}

describe('credentials', () => {
  const auth = Buffer.from('me:pass:word').toString('base64');

  test('from the file', async () => {
    expect(await credentials({ auths: { 'r.example:5000': { auth } } }, 'r.example:5000')).toEqual({
      username: 'me',
      password: 'pass:word',
      serveraddress: 'r.example:5000',
    });
    expect(await credentials({ auths: { 'https://index.docker.io/v1/': { auth } } }, 'docker.io')).toMatchObject({
      username: 'me',
    });
    expect(await credentials({ auths: { 'https://r.example/v1/': { auth } } }, 'r.example')).toMatchObject({
      username: 'me',
    });
    expect(await credentials({}, 'docker.io')).toBeUndefined();
  });

  test('from a helper', async () => {
    const bin = join(folder, 'bin');
    mkdirSync(bin);
    const helper = join(bin, 'docker-credential-test');
    writeFileSync(
      helper,
      '#!/bin/sh\nread host\n[ "$host" = none.example ] && { echo "credentials not found in native keychain"; exit 1; }\necho "{\\"ServerURL\\":\\"$host\\",\\"Username\\":\\"u\\",\\"Secret\\":\\"s\\"}"\n',
    );
    chmodSync(helper, 0o755);
    const path = process.env['PATH'];
    process.env['PATH'] = `${bin}:${path}`;
    try {
      expect(await credentials({ credHelpers: { 'a.example': 'test' } }, 'a.example')).toEqual({
        username: 'u',
        password: 's',
        serveraddress: 'a.example',
      });
      expect(await credentials({ credsStore: 'test' }, 'none.example')).toBeUndefined();
      await expect(credentials({ credsStore: 'missing' }, 'a.example')).rejects.toThrow(
        'executable file not found in $PATH',
      );
    } finally {
      process.env['PATH'] = path;
    }
  });
});

test('proxies for containers', () => {
  const config = {
    proxies: { default: { httpProxy: 'http://p:1', noProxy: 'x' }, 'tcp://other': { httpProxy: 'http://q' } },
  };
  expect(proxyVariables(cli(config), ['http_proxy=mine'])).toEqual([
    'HTTP_PROXY=http://p:1',
    'NO_PROXY=x',
    'no_proxy=x',
  ]);
  expect(proxyVariables(cli({}), [])).toEqual([]);
});
