/**
 * Requests that are wrong in some way, to a real engine: the status and words are dockerd 28.5's (looked up side by side), except
 * that a number or time that cannot be read is 400, where dockerd calls it an error of its own.
 */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { busyboxLayer, dockerArchive } from '../support/images.ts';
import { tar } from '../support/tar.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startEngine({ images: ['busybox'] });
  await engine.ok('create', '--name', 'good', 'busybox');
});
afterAll(() => engine.cleanUp());

/** Request, body, status, words; a 200 carries its error in the stream. */
const refused: [string, string, number, string][] = [
  ['POST /containers/create', '{"Image":', 400, 'invalid JSON: unexpected EOF'],
  [
    'POST /containers/create',
    '[]',
    400,
    'invalid JSON: json: cannot unmarshal array into Go value of type container.CreateRequest',
  ],
  ['POST /containers/create', 'null', 400, 'config cannot be empty in order to create a container'],
  ['POST /containers/create', '', 400, 'invalid JSON: got EOF while reading request body'],
  ['POST /containers/create', '{}', 400, 'no command specified'],
  ['POST /containers/create', '{"Image":"busybox"} trailing', 400, 'unexpected content after JSON'],
  [
    'POST /containers/create',
    '{"Image":"busybox"}',
    400,
    "unsupported Content-Type header (text/plain): must be 'application/json'",
  ],
  [
    'POST /containers/create',
    '{"Image":5}',
    400,
    'invalid JSON: json: cannot unmarshal number into Go struct field .Image of type string',
  ],
  ['POST /containers/create', '{"Image":"nowhere:1"}', 404, 'No such image: nowhere:1'],
  [
    'POST /containers/create',
    '{"Image":"UPPER"}',
    400,
    'invalid reference format: repository name (library/UPPER) must be lowercase',
  ],
  [
    'POST /containers/create',
    '{"Image":"busybox","HostConfig":{"Memory":"5"}}',
    400,
    'invalid JSON: json: cannot unmarshal string into Go struct field .HostConfig.Memory of type int64',
  ],
  [
    'POST /containers/create',
    '{"Image":"busybox","HostConfig":{"Memory":1}}',
    400,
    'Minimum memory limit allowed is 6MB',
  ],
  [
    'POST /containers/create',
    '{"Image":"busybox","HostConfig":{"Memory":-1}}',
    400,
    'Minimum memory limit allowed is 6MB',
  ],
  [
    'POST /containers/create',
    '{"Image":"busybox","HostConfig":{"Memory":99999999999999999999}}',
    400,
    'invalid JSON: json: cannot unmarshal number 99999999999999999999 into Go struct field .HostConfig.Memory of type int64',
  ],
  [
    'POST /containers/create',
    '{"Image":"busybox","HostConfig":{"Memory":1.5}}',
    400,
    'invalid JSON: json: cannot unmarshal number 1.5 into Go struct field .HostConfig.Memory of type int64',
  ],
  [
    'POST /containers/create',
    '{"Image":"busybox","HostConfig":{"NanoCpus":-5}}',
    400,
    'range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available',
  ],
  [
    'POST /containers/create',
    '{"Image":"busybox","HostConfig":{"NanoCpus":9000000000000}}',
    400,
    'range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available',
  ],
  [
    'POST /containers/create',
    '{"Image":"busybox","HostConfig":{"ShmSize":-1}}',
    400,
    'SHM size can not be less than 0',
  ],
  [
    'POST /containers/create',
    '{"Image":"busybox","HostConfig":{"CpuShares":-1}}',
    400,
    'invalid CPU shares (-1): value must be a positive integer',
  ],
  [
    'POST /containers/create',
    '{"Image":"busybox","HostConfig":{"OomScoreAdj":2000}}',
    400,
    'Invalid value 2000, range for oom score adj is [-1000, 1000]',
  ],
  [
    'POST /containers/create',
    '{"Image":"busybox","HostConfig":{"Binds":["/a:relative"]}}',
    500,
    "invalid volume specification: '/a:relative': invalid mount config for type \"bind\": invalid mount path: 'relative' mount path must be absolute",
  ],
  ['POST /containers/create', '{"Image":"busybox","HostConfig":{"Binds":["/a:/b:zz"]}}', 500, 'invalid mode: zz'],
  [
    'POST /containers/create',
    '{"Image":"busybox","HostConfig":{"Binds":["/a:/"]}}',
    500,
    "invalid volume specification: '/a:/': invalid mount config for type \"bind\": invalid specification: destination can't be '/'",
  ],
  [
    'POST /containers/create',
    '{"Image":"busybox","HostConfig":{"Mounts":[{"Type":"bind","Source":"/nowhere/x","Target":"/y"}]}}',
    400,
    'invalid mount config for type "bind": bind source path does not exist: /nowhere/x',
  ],
  [
    'POST /containers/create',
    '{"Image":"busybox","HostConfig":{"Mounts":[{"Type":"odd","Target":"/y"}]}}',
    400,
    'invalid mount config for type "odd": mount type unknown',
  ],
  [
    'POST /containers/create',
    '{"Image":"busybox","HostConfig":{"PortBindings":{"80/tcp":[{"HostPort":"99999"}]}}}',
    400,
    'invalid port specification: "99999"',
  ],
  [
    'POST /containers/create',
    '{"Image":"busybox","HostConfig":{"PortBindings":{"x/tcp":[{"HostPort":"80"}]}}}',
    400,
    'invalid port specification: "x"',
  ],
  [
    'POST /containers/create',
    '{"Image":"busybox","HostConfig":{"RestartPolicy":{"Name":"odd"}}}',
    400,
    "invalid restart policy: unknown policy 'odd'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'",
  ],
  [
    'POST /containers/create',
    '{"Image":"busybox","HostConfig":{"RestartPolicy":{"Name":"always","MaximumRetryCount":3}}}',
    400,
    "invalid restart policy: maximum retry count can only be used with 'on-failure'",
  ],
  [
    'POST /containers/create',
    '{"Image":"busybox","HostConfig":{"Runtime":"odd"}}',
    400,
    'unknown or invalid runtime name: odd',
  ],
  [
    'POST /containers/create',
    '{"Image":"busybox","HostConfig":{"CapAdd":["CAP_ODD"]}}',
    400,
    'invalid CapAdd: unknown capability: "CAP_ODD"',
  ],
  [
    'POST /containers/create',
    '{"Image":"busybox","HostConfig":{"SecurityOpt":["odd"]}}',
    500,
    'invalid --security-opt 1: "odd"',
  ],
  ['POST /containers/create', '{"Image":"busybox","StopSignal":"SIGODD"}', 400, 'invalid signal: SIGODD'],
  [
    'POST /containers/create',
    '{"Image":"busybox","WorkingDir":"relative"}',
    400,
    "the working directory 'relative' is invalid, it needs to be an absolute path",
  ],
  [
    'POST /containers/create',
    '{"Image":"busybox","Env":"A=b"}',
    400,
    'invalid JSON: json: cannot unmarshal string into Go struct field .Env of type []string',
  ],
  ['POST /containers/create', '{"Image":"busybox","Env":["=b"]}', 400, 'invalid environment variable: =b'],
  [
    'POST /containers/create?name=a',
    '{"Image":"busybox"}',
    400,
    'Invalid container name (a), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed',
  ],
  [
    'POST /containers/create?name=b%20ad',
    '{"Image":"busybox"}',
    400,
    'Invalid container name (b ad), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed',
  ],
  [
    'POST /containers/create?name=-bad',
    '{"Image":"busybox"}',
    400,
    'Invalid container name (-bad), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed',
  ],
  [
    'POST /containers/create?platform=odd/odd',
    '{"Image":"busybox"}',
    404,
    'image with reference busybox was found but its platform (linux/amd64) does not match the specified platform (odd/odd)',
  ],
  ['GET /containers/nobody/json', '', 404, 'No such container: nobody'],
  ['GET /containers/json?limit=x', '', 400, 'strconv.Atoi: parsing "x": invalid syntax'],
  ['GET /containers/json?filters=x', '', 400, 'invalid filter'],
  ['GET /containers/json?filters=%7B%22odd%22%3A%5B%22x%22%5D%7D', '', 400, "invalid filter 'odd'"],
  [
    'GET /containers/json?filters=%7B%22status%22%3A%5B%22odd%22%5D%7D',
    '',
    400,
    "invalid filter 'status=odd': invalid value for state (odd): must be one of created, running, paused, restarting, removing, exited, dead",
  ],
  ['POST /containers/nobody/start', '', 404, 'No such container: nobody'],
  ['POST /containers/nobody/kill?signal=ODD', '', 404, 'cannot kill container: nobody: No such container: nobody'],
  ['DELETE /containers/nobody', '', 404, 'No such container: nobody'],
  ['POST /containers/nobody/exec', '{"Cmd":["true"]}', 404, 'No such container: nobody'],
  ['POST /containers/good/exec', '{"Cmd":["true"]}', 409, 'container <id> is not running'],
  ['POST /containers/good/exec', '{"Cmd":', 400, 'invalid JSON: unexpected EOF'],
  ['POST /containers/good/kill', '', 409, 'cannot kill container: good: container <id> is not running'],
  ['POST /containers/good/kill?signal=ODD', '', 400, 'cannot kill container: good: invalid signal: ODD'],
  ['POST /containers/good/pause', '', 409, 'container <id> is not running'],
  ['POST /containers/good/rename?name=', '', 400, 'Neither old nor new names may be empty'],
  [
    'POST /containers/good/rename?name=b%20ad',
    '',
    400,
    'Error when allocating new name: Invalid container name (/b ad), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed',
  ],
  ['POST /containers/good/resize?h=x&w=1', '', 400, 'invalid resize height "x": invalid syntax'],
  ['POST /containers/good/resize?h=1&w=1', '', 409, 'container <id> is not running'],
  ['POST /containers/good/stop?t=x', '', 400, 'strconv.Atoi: parsing "x": invalid syntax'],
  ['POST /containers/good/wait?condition=odd', '', 400, 'invalid condition: "odd"'],
  ['GET /containers/good/logs', '', 400, 'Bad parameters: you must choose at least one stream'],
  ['GET /containers/good/logs?stdout=1&since=x', '', 400, 'strconv.ParseInt: parsing "x": invalid syntax'],
  ['GET /containers/good/top', '', 409, 'container <id> is not running'],
  ['POST /containers/good/attach?stream=1&stdout=1&detachKeys=odd', '', 400, 'Invalid detach keys (odd) provided'],
  ['POST /exec/nobody/start', '{}', 404, 'No such exec instance: nobody'],
  ['GET /exec/nobody/json', '', 404, 'No such exec instance: nobody'],
  ['GET /images/nowhere/json', '', 404, 'No such image: nowhere:latest'],
  ['GET /images/json?filters=x', '', 400, 'invalid filter'],
  ['DELETE /images/nowhere', '', 404, 'No such image: nowhere:latest'],
  [
    'POST /images/busybox/tag?repo=UPPER',
    '',
    400,
    'invalid reference format: repository name (library/UPPER) must be lowercase',
  ],
  ['POST /images/busybox/tag?repo=a&tag=b%20c', '', 400, 'invalid tag format'],
  ['POST /images/nowhere/tag?repo=a', '', 404, 'No such image: nowhere:latest'],
  [
    'POST /images/create?fromImage=UPPER',
    '',
    400,
    'invalid reference format: repository name (library/UPPER) must be lowercase',
  ],
  ['POST /images/create?fromImage=a&tag=b%20c', '', 400, 'invalid tag format'],
  ['POST /images/create', '', 400, 'either fromImage or fromSrc is required'],
  ['POST /images/load', 'not a tar', 200, 'unexpected EOF'],
  ['POST /images/load', '', 200, 'open manifest.json: no such file or directory'],
  ['GET /images/nowhere/get', '', 404, 'No such image: nowhere'],
  ['GET /nowhere', '', 404, 'page not found'],
  ['PUT /containers/json', '', 404, 'page not found'],
  ['GET /v9.99/containers/json', '', 400, 'client version 9.99 is too new. Maximum supported API version is 1.52'],
  ['GET /vx/containers/json', '', 404, 'page not found'],
  ['GET /networks/nowhere', '', 404, 'network nowhere not found'],
  ['GET /events?since=x', '', 400, 'strconv.ParseInt: parsing "x": invalid syntax'],
  ['GET /events?filters=x', '', 400, 'invalid filter'],
  ['POST /auth', '{"username":', 400, 'invalid JSON: unexpected EOF'],
];

/** dockerd takes these too: what is wrong with them shows at the start, or not at all. */
const taken = [
  '{"Image":"busybox","HostConfig":{"NetworkMode":"nonet"}}',
  '{"Image":"busybox","HostConfig":{"NetworkMode":"container:nobody"}}',
  '{"Image":"busybox","HostConfig":{"Binds":["relative:/x"]}}',
  '{"Image":"busybox","ExposedPorts":{"80/odd":{}}}',
  '{"Image":"busybox","HostConfig":{"Ulimits":[{"Name":"odd","Soft":1,"Hard":1}]}}',
  '{"Image":"busybox","HostConfig":{"Sysctls":{"odd":"1"}}}',
  '{"Image":"busybox","HostConfig":{"Devices":[{"PathOnHost":"/dev/nowhere","PathInContainer":"/dev/x"}]}}',
  '{"Image":"busybox","Cmd":"a string"}',
  '{"Image":"busybox","Hostname":"bad host name!"}',
  '{"Image":"busybox","Unknown":{"key":[1,2]},"image":null}',
];

/** `<id>` stands for any id. */
function words(text: string): string {
  const last = JSON.parse(text.trim().split('\n').at(-1) as string) as { message?: string; error?: string };
  return (last.message ?? last.error ?? '').replaceAll(/[0-9a-f]{64}/g, '<id>');
}

test.each(refused)('%s %s', async (request, body, status, message) => {
  const [method = '', path = ''] = request.split(' ');
  const plain = message.includes('text/plain');
  const type = path === '/images/load' ? 'application/x-tar' : plain ? 'text/plain' : 'application/json';
  const sent = method === 'GET' ? undefined : body;
  const response = await engine.request(method, path, sent, { 'content-type': type });
  expect({ status: response.status, message: words(await response.text()) }).toEqual({ status, message });
  expect(await engine.answers()).toBe(true);
});

test.each(taken)('%s is taken', async (body) => {
  const response = await engine.request('POST', '/containers/create', body, { 'content-type': 'application/json' });
  expect(response.status).toBe(201);
  const { Id } = (await response.json()) as { Id: string };
  expect((await engine.request('DELETE', `/containers/${Id}`)).status).toBe(204);
});

/** Loads bytes as an image; the message of the error. */
async function loaded(bytes: Uint8Array): Promise<string> {
  const response = await engine.request('POST', '/images/load', bytes, { 'content-type': 'application/x-tar' });
  return words(await response.text());
}

test('hostile and broken archives', async () => {
  const before = await engine.ok('images', '-aq');
  const good = dockerArchive({ tags: ['x:1'], layers: [busyboxLayer()] });
  const layer = (...entries: Parameters<typeof tar>[0]) => dockerArchive({ tags: ['x:1'], layers: [tar(entries)] });
  expect(await loaded(good.subarray(0, good.length / 2))).not.toBe('');
  expect(
    await loaded(dockerArchive({ tags: ['x:1'], layers: [tar([{ name: 'a', content: 'abc', size: 10_000_000 }])] })),
  ).not.toBe('');
  for (const entries of [
    [{ name: '../../../../../../tmp/berth-escaped', content: 'x' }],
    [
      { name: 'link', type: '2', linkName: '/tmp' },
      { name: 'link/berth-escaped', content: 'x' },
    ],
    [{ name: 'hard', type: '1', linkName: '../../../../../etc/passwd' }],
  ]) {
    await loaded(layer(...entries));
    expect(await Bun.file('/tmp/berth-escaped').exists()).toBe(false);
    await engine.berth('rmi', '-f', 'x:1');
  }
  expect(await engine.ok('images', '-aq')).toBe(before);
});

test('a runtime that is missing, or fails, is told in words; nothing is left', async () => {
  const broken = join(dirname(engine.failpoints.path), 'broken-runtime');
  mkdirSync(dirname(broken), { recursive: true });
  writeFileSync(broken, '#!/bin/sh\necho "it does not work" >&2\nexit 1\n', { mode: 0o755 });
  const other = await startEngine({
    images: ['busybox'],
    config: { runtimes: { broken: { path: broken }, missing: { path: '/nowhere/at/all' } } },
  });
  try {
    for (const runtime of ['broken', 'missing']) {
      const result = await other.berth('run', '--rm', '--runtime', runtime, 'busybox', 'true');
      expect(result.code).toBe(125);
      expect(result.stderr).toContain('Error response from daemon: ');
    }
    expect(await other.ok('run', '--rm', 'busybox', 'echo', 'works')).toBe('works');
  } finally {
    await other.cleanUp();
  }
});
