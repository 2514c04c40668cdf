/** docs/reference/openapi.json is true: what a running engine takes and gives fits it, for every route that it calls working. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import Ajv2020, { type ValidateFunction } from 'ajv/dist/2020.js';
import type { OpenApiDocument, OpenApiOperation } from '../../scripts/openapi-document.ts';
import { Client, nodeTransport, outputText } from '../../src/client/index.ts';
import { JsonStreamDecoder } from '../../src/wire/json-lines.ts';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { busyboxLayer, dockerArchive } from '../support/images.ts';
import { repository } from '../support/repository.ts';
import { tar } from '../support/tar.ts';

const document = (await Bun.file(`${repository}/docs/reference/openapi.json`).json()) as OpenApiDocument;
const ajv = new Ajv2020({ strict: false, allErrors: true });
ajv.addSchema(document, 'api');
const validators = new Map<object, ValidateFunction>();
const problems: string[] = [];
/** Operations that were asked for, by `operationId`. */
const asked = new Set<string>();

interface Described {
  method: string;
  path: string;
  pattern: RegExp;
  operation: OpenApiOperation;
}

const operations: Described[] = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({
    method: method.toUpperCase(),
    path,
    pattern: new RegExp(`^${path.replace(/\{\w+\}/g, '[^?]+')}$`),
    operation,
  })),
);

function operationOf(method: string, path: string): Described {
  const fitting = operations.filter((one) => one.method === method && one.pattern.test(path));
  // `/images/json` is more than `/images/{name}/json`.
  const [best] = fitting.sort(
    (a, b) => Number(a.path.includes('{')) - Number(b.path.includes('{')) || b.path.length - a.path.length,
  );
  if (!best) throw new Error(`${method} ${path} is not on the page`);
  return best;
}

function check(what: string, schema: object | undefined, value: unknown): void {
  if (!schema) return;
  let validate = validators.get(schema);
  if (!validate) {
    // References lead into the page.
    const text = JSON.stringify(schema).replaceAll('"#/components', '"api#/components');
    validate = ajv.compile(JSON.parse(text));
    validators.set(schema, validate);
  }
  if (!validate(value))
    problems.push(
      ...(validate.errors ?? []).map(
        (error) => `${what}: ${error.instancePath} ${error.message} ${JSON.stringify(error.params)}`,
      ),
    );
}

interface Question {
  body?: unknown;
  /** As it is expected; the first of the page otherwise. */
  status?: number;
}

let engine: TestEngine;
beforeAll(async () => {
  engine = await startEngine({ images: ['busybox'] });
});
afterAll(() => engine.cleanUp());

/** Asks the engine, and compares request and answer with the page. Gives the JSON. */
async function ask<T = Record<string, unknown>>(
  method: string,
  target: string,
  { body, status }: Question = {},
): Promise<T> {
  const [path = '', search = ''] = target.split('?', 2);
  const { operation } = operationOf(method, path);
  const what = `${method} ${path}`;
  asked.add(operation.operationId);
  const known = operation.parameters.filter((one) => one.in === 'query').map(({ name }) => name);
  for (const name of new URLSearchParams(search).keys())
    if (!known.includes(name)) problems.push(`${what}: the parameter ${name} is not on the page`);
  const isTar = body instanceof Uint8Array;
  if (body !== undefined && !isTar)
    check(`${what}, request`, operation.requestBody?.content['application/json']?.schema, body);
  const headers: Record<string, string> = isTar ? { 'content-type': 'application/x-tar' } : {};
  const answer = await engine.request(method, target, body, headers);
  const text = await answer.text();
  const wanted = status ?? Number(Object.keys(operation.responses)[0]);
  if (answer.status !== wanted) throw new Error(`${what}: ${answer.status} ${text}`);
  const response = operation.responses[answer.status] ?? operation.responses['default'];
  const type = answer.headers.get('content-type') ?? '';
  const described = response?.content;
  if (!described) {
    if (text !== '') problems.push(`${what}: something was answered, the page says nothing is: ${text.slice(0, 80)}`);
    return undefined as T;
  }
  const form = described[type];
  if (!form) problems.push(`${what}: the answer is ${type}, the page says ${Object.keys(described)}`);
  if (type !== 'application/json') return text as T;
  const values = response.description.startsWith('stream of') ? jsonStream(text) : [JSON.parse(text) as unknown];
  if (values.length === 0) problems.push(`${what}: an empty stream shows nothing`);
  for (const value of values) check(what, form?.schema, value);
  return values[0] as T;
}

function jsonStream(text: string): unknown[] {
  const values: unknown[] = [];
  const decoder = new JsonStreamDecoder((value) => values.push(value));
  decoder.push(new TextEncoder().encode(text));
  decoder.end();
  return values.map((value) =>
    JSON.parse(JSON.stringify(value, (_key, item) => (typeof item === 'bigint' ? Number(item) : item))),
  );
}

/** A request that turns its connection into a stream, by our own client. */
async function upgrade(target: string, json?: unknown): Promise<{ stdout: string; stderr: string }> {
  const [path = '', search = ''] = target.split('?', 2);
  const { operation } = operationOf('POST', path);
  asked.add(operation.operationId);
  const client = new Client({ host: engine.host, transport: nodeTransport });
  const stream = await client.hijack({
    method: 'POST',
    path,
    query: Object.fromEntries(new URLSearchParams(search)),
    json,
  });
  if (!operation.responses[stream.status]) problems.push(`POST ${path}: ${stream.status} is not on the page`);
  stream.end();
  return await outputText(stream);
}

const filters = (value: Record<string, string[]>): string => `filters=${encodeURIComponent(JSON.stringify(value))}`;

test('system', async () => {
  expect(await ask<string>('GET', '/_ping')).toBe('OK');
  await ask('HEAD', '/_ping');
  await ask('GET', '/version');
  await ask('GET', '/info');
  await ask('GET', '/plugins');
  await ask('GET', '/plugins/nosuch/json', { status: 404 });
  await ask('POST', '/auth', { body: { serveraddress: '127.0.0.1:1', username: 'a', password: 'b' }, status: 500 });
  expect(problems).toEqual([]);
});

test('containers', async () => {
  await ask('POST', '/volumes/create', { body: { Name: 'openapi', Labels: { a: 'b' } } });
  const body = {
    Image: 'busybox',
    Cmd: ['sh', '-c', 'echo out; echo err >&2; exec sleep 1000'],
    Env: ['A=b'],
    Labels: { a: 'b' },
    ExposedPorts: { '80/tcp': {} },
    Healthcheck: { Test: ['CMD', 'true'], Interval: 1_000_000_000 },
    NetworkingConfig: { EndpointsConfig: { bridge: {} } },
    HostConfig: {
      Binds: ['openapi:/v', '/tmp:/x:ro'],
      Mounts: [{ Type: 'tmpfs', Target: '/t', TmpfsOptions: { SizeBytes: 65_536 } }],
      PortBindings: { '80/tcp': [{ HostPort: '' }] },
      Memory: 64 * 1024 * 1024,
      Ulimits: [{ Name: 'nofile', Soft: 100, Hard: 200 }],
      RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 2 },
      Init: true,
    },
  };
  const { Id } = await ask<{ Id: string }>('POST', '/containers/create?name=openapi', { body });
  await ask('POST', '/containers/create', { body: { Image: 'nosuch' }, status: 404 });
  await ask('POST', `/containers/${Id}/start`);
  await ask('POST', `/containers/${Id}/start`, { status: 304 });
  const at = `/containers/${Id}`;
  await ask('GET', `${at}/json?size=1`);
  await ask('GET', '/containers/nosuch/json', { status: 404 });
  await ask('GET', `/containers/json?all=1&size=1&limit=5&${filters({ name: ['openapi'] })}`);
  await ask('GET', `${at}/top?ps_args=aux`);
  expect(await ask<string>('GET', `${at}/logs?stdout=1&stderr=1&tail=10&timestamps=0`)).toContain('out');
  await ask('GET', `${at}/changes`);
  await ask('POST', `/berth/v1${at}/logs/clear`);
  await ask('GET', `${at}/stats?stream=0&one-shot=1`);
  await ask('POST', `${at}/resize?h=10&w=20`, { status: 500 }).catch(() => ask('POST', `${at}/resize?h=10&w=20`));
  await ask('POST', `/berth/v1${at}/logs/clear`);
  await ask('POST', `${at}/pause`);
  await ask('POST', `${at}/unpause`);
  await ask('POST', `${at}/update`, {
    body: { Memory: 128 * 1024 * 1024, MemorySwap: -1, RestartPolicy: { Name: 'no' } },
  });
  await ask('POST', `${at}/rename?name=openapi-renamed`);
  const tar = await engine.request('GET', `${at}/archive?path=/etc/passwd`);
  await ask('GET', `${at}/archive?path=/etc/passwd`);
  await ask('HEAD', `${at}/archive?path=/etc/passwd`);
  await ask('PUT', `${at}/archive?path=/tmp&noOverwriteDirNonDir=1`, { body: new Uint8Array(await tar.arrayBuffer()) });
  await ask('GET', `${at}/export`);
  const exec = await ask<{ Id: string }>('POST', `${at}/exec`, { body: { Cmd: ['echo', 'done'], AttachStdout: true } });
  expect((await upgrade(`/exec/${exec.Id}/start`, {})).stdout).toBe('done\n');
  await ask('GET', `/exec/${exec.Id}/json`);
  const terminal = await ask<{ Id: string }>('POST', `${at}/exec`, { body: { Cmd: ['sleep', '1000'], Tty: true } });
  await engine.request('POST', `/exec/${terminal.Id}/start`, { Detach: true, Tty: true });
  await ask('POST', `/exec/${terminal.Id}/resize?h=10&w=20`);
  await ask('POST', '/commit?container=openapi-renamed&repo=openapi&tag=made&comment=c&author=a', {
    body: { Cmd: ['true'] },
  });
  await ask('POST', `${at}/kill?signal=KILL`);
  await ask('POST', `${at}/wait?condition=not-running`);
  await ask('POST', `${at}/restart?t=0`);
  await ask('POST', `${at}/stop?t=0`);
  await ask('POST', `${at}/stop`, { status: 304 });
  const quick = await ask<{ Id: string }>('POST', '/containers/create', {
    body: { Image: 'busybox', Cmd: ['echo', 'attached'], AttachStdout: true },
  });
  const attached = upgrade(`/containers/${quick.Id}/attach?stream=1&stdout=1&stderr=1`);
  await ask('POST', `/containers/${quick.Id}/start`);
  await attached;
  await ask('GET', `/containers/${quick.Id}/stats?stream=0&one-shot=1`);
  await ask('GET', '/system/df');
  await ask('GET', '/system/df?verbose=1&type=volume&type=container');
  await ask('DELETE', `${at}?v=1&force=1`);
  await ask('DELETE', `${at}`, { status: 404 });
  await ask('POST', `/containers/prune?${filters({ label: ['nosuch'] })}`);
  await ask('POST', '/containers/prune');
  const now = Math.floor(Date.now() / 1000) + 1;
  await ask(
    'GET',
    `/events?since=${now - 60}&until=${now}&${filters({ type: ['container', 'image', 'volume', 'network'] })}`,
  );
  expect(problems).toEqual([]);
}, 180_000);

test('images', async () => {
  const archive = dockerArchive({
    tags: ['openapi:loaded'],
    layers: [busyboxLayer()],
    config: { Cmd: ['sh'], Labels: { a: 'b' }, ExposedPorts: { '80/tcp': {} }, Volumes: { '/v': {} } },
  });
  await ask('POST', '/images/load?quiet=0', { body: archive });
  await ask('GET', `/images/json?all=1&shared-size=1&${filters({ reference: ['openapi:*'] })}`);
  await ask('GET', '/images/openapi:loaded/json');
  await ask('GET', '/images/openapi:loaded/history');
  await ask('POST', '/images/openapi:loaded/tag?repo=openapi&tag=twice');
  await ask('GET', '/images/get?names=openapi:loaded&names=openapi:twice');
  await ask('GET', '/images/openapi:loaded/get');
  await ask('POST', '/images/create?fromSrc=-&repo=openapi&tag=imported&message=m&changes=CMD%20true', {
    body: busyboxLayer(),
  });
  await ask('POST', '/images/openapi/push?tag=nosuch', { status: 404 }).catch(() =>
    ask('POST', '/images/openapi/push?tag=nosuch'),
  );
  const context = tar([{ name: 'Dockerfile', content: 'FROM openapi:loaded\nRUN echo built >/built\n' }]);
  await ask('POST', '/build?t=openapi:built&labels=%7B%22a%22%3A%22b%22%7D', { body: context });
  await ask('POST', '/build/prune?all=1');
  await ask('DELETE', '/images/openapi:twice?noprune=1');
  await ask('DELETE', '/images/openapi:nosuch', { status: 404 });
  // Where Docker's own registry is out of reach, that is what is answered.
  const search = '/images/search?term=busybox&limit=1';
  await ask('GET', search, { status: 500 }).catch(() => ask('GET', search));
  await ask('GET', '/distribution/127.0.0.1:1/x/json', { status: 500 });
  const manifests = '/berth/v1/manifests/127.0.0.1:1/x:tag';
  await ask('GET', manifests, { status: 500 });
  const list = {
    MediaType: 'application/vnd.oci.image.index.v1+json',
    Document: '{"schemaVersion":2,"manifests":[]}',
    Sources: [],
  };
  await ask('PUT', manifests, { body: list, status: 500 });
  await ask('POST', '/berth/v1/images/bootstrap?name=nosuch', { status: 400 });
  await ask('POST', `/images/prune?${filters({ dangling: ['false'] })}`);
  expect(problems).toEqual([]);
});

test('networks and volumes', async () => {
  const body = {
    Name: 'openapi',
    Labels: { a: 'b' },
    IPAM: { Config: [{ Subnet: '10.99.250.0/24', Gateway: '10.99.250.1' }] },
    Options: { 'com.docker.network.driver.mtu': '1400' },
  };
  await ask('POST', '/networks/create', { body });
  await ask('POST', '/networks/create', { body, status: 409 });
  await engine.load(`${repository}/build/cache/busybox-image.tar`);
  const { Id } = await ask<{ Id: string }>('POST', '/containers/create', {
    body: { Image: 'busybox', Cmd: ['sleep', '1000'] },
  });
  await ask('POST', `/containers/${Id}/start`);
  const endpoint = { IPAMConfig: { IPv4Address: '10.99.250.77' }, Aliases: ['alias'] };
  await ask('POST', '/networks/openapi/connect', { body: { Container: Id, EndpointConfig: endpoint } });
  await ask('GET', '/networks/openapi');
  await ask('GET', `/containers/${Id}/json`);
  await ask('GET', `/networks?${filters({ driver: ['bridge'] })}`);
  await ask('GET', '/networks/');
  await ask('POST', '/networks/openapi/disconnect', { body: { Container: Id, Force: false } });
  await ask('DELETE', '/networks/openapi');
  await ask('POST', '/networks/prune');
  await ask('DELETE', `/containers/${Id}?force=1`);
  await ask('GET', '/volumes');
  await ask('GET', '/berth/v1/volumes/sizes?name=openapi');
  await ask('POST', '/berth/v1/volumes/openapi/rename?to=openapi-two');
  await ask('POST', '/berth/v1/volumes/openapi-two/clone?to=openapi');
  await ask('GET', '/berth/v1/volumes/openapi/export');
  await ask('POST', '/berth/v1/volumes/openapi-three/import', { body: tar([{ name: 'file', content: 'x' }]) });
  await ask('GET', '/volumes/openapi');
  await ask('GET', '/volumes/nosuch', { status: 404 });
  const own = '/berth/v1/volumes';
  const archive = await engine.request('GET', `${own}/openapi/export`);
  await ask('GET', `${own}/openapi/export`);
  await ask('POST', `${own}/imported/import`, { body: new Uint8Array(await archive.arrayBuffer()) });
  await ask('POST', `${own}/imported/rename?to=renamed`);
  await ask('POST', `${own}/renamed/clone?to=cloned`);
  await ask('GET', `${own}/sizes?name=cloned&name=renamed`);
  await ask('DELETE', '/volumes/openapi?force=1');
  await ask('POST', `/volumes/prune?${filters({ all: ['1'] })}`);
  expect(problems).toEqual([]);
});

test('every working route was asked, and the others say why not', async () => {
  // By other tests: test/api/websocket.test.ts, and those of `berth build`.
  asked.add('containerAttachWebsocket').add('berthBuild');
  const working = operations.filter(({ operation }) => operation['x-state'] === 'works');
  expect(working.map(({ operation }) => operation.operationId).filter((id) => !asked.has(id))).toEqual([]);
  for (const { method, path, operation } of operations) {
    if (operation['x-state'] === 'works') continue;
    const answer = await engine.request(method, path.replace(/\{\w+\}/g, 'x'));
    const { message } = (await answer.json()) as { message: string };
    const state = operation['x-state'] ?? '';
    if (state === 'not built yet')
      expect([path, answer.status, message]).toEqual([path, 501, expect.stringContaining('not')]);
    else expect([path, `refused: ${message}`]).toEqual([path, state]);
  }
});
