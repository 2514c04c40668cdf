/** `POST /build` and `/build/prune` at the edge: parameters in, the classic builder's stream out. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { BerthError } from '../../src/api/errors.ts';
import type { BuildEvent } from '../../src/api/types/build.ts';
import { type Served, serve } from './support/served.ts';

/** What the next build says and how it ends. */
let script: { events: BuildEvent[]; failure?: Error } = { events: [] };
let served: Served;

beforeAll(async () => {
  served = await serve({
    'builds.build': async (_request: unknown, _context: unknown, work: { event: (event: BuildEvent) => void }) => {
      for (const event of script.events) work.event(event);
      if (script.failure) throw script.failure;
      return { imageId: `sha256:${'ab'.repeat(32)}` };
    },
  });
});
afterAll(() => served.close());

interface Message {
  stream?: string;
  error?: string;
  errorDetail?: { message: string; code?: number };
  aux?: { ID: string };
}

async function build(
  query: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; messages: Message[] }> {
  const answer = await served.ask('POST', `/build?${query}`, '', { 'Content-Type': 'application/x-tar', ...headers });
  return {
    status: answer.status,
    messages: answer.body
      .split('\r\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Message),
  };
}

function asked(): { options: Record<string, unknown>; remote: string; cacheFrom: string[]; auths: object } {
  return served.calls.filter(({ verb }) => verb === 'builds.build').at(-1)?.arguments[0] as never;
}

test('what a client says to leave as it is counts as not said', async () => {
  script = { events: [] };
  await build('cpuperiod=0&cpusetcpus=&memory=0&memswap=0&shmsize=0&cgroupparent=&ulimits=%5B%5D');
  expect(asked().options['limits']).toEqual({});
  await build('ulimits=null');
  expect(asked().options['limits']).toEqual({});
});

test('every parameter arrives', async () => {
  script = { events: [] };
  const auths = { 'r.example': { username: 'u', password: 'p' } };
  const query = new URLSearchParams({
    dockerfile: 'sub/Dockerfile',
    target: 'st',
    remote: 'https://example.com/x.git',
    nocache: '1',
    pull: '1',
    platform: 'linux/amd64',
    networkmode: 'host',
    buildargs: '{"a":"1","unset":null}',
    labels: '{"l":"m"}',
    cachefrom: '["one","two"]',
    memory: '1000000',
    memswap: '-1',
    cpushares: '5',
    cpusetcpus: '0-1',
    cpuperiod: '100',
    cpuquota: '50',
    shmsize: '64',
    ulimits: '[{"Name":"nofile","Soft":1,"Hard":2}]',
    cgroupparent: '/p',
  });
  query.append('t', 'a:1');
  query.append('t', 'b');
  query.append('extrahosts', 'h:1.2.3.4');
  await build(query.toString(), { 'X-Registry-Config': Buffer.from(JSON.stringify(auths)).toString('base64url') });
  expect(asked()).toMatchObject({
    remote: 'https://example.com/x.git',
    cacheFrom: ['one', 'two'],
    auths,
    options: {
      tags: ['a:1', 'b'],
      dockerfile: 'sub/Dockerfile',
      target: 'st',
      noCache: true,
      pull: true,
      platform: 'linux/amd64',
      network: 'host',
      buildArguments: { a: '1' },
      labels: { l: 'm' },
      extraHosts: ['h:1.2.3.4'],
      limits: {
        Memory: 1_000_000,
        MemorySwap: -1,
        CpuShares: 5,
        CpusetCpus: '0-1',
        CpuPeriod: 100,
        CpuQuota: 50,
        ShmSize: 64,
        CgroupParent: '/p',
        Ulimits: [{ Name: 'nofile', Soft: 1, Hard: 2 }],
      },
    },
  });
});

test('arguments as a list', async () => {
  script = { events: [] };
  await build(`buildargs=${encodeURIComponent('["a=1=2","b"]')}`);
  expect(asked().options['buildArguments']).toEqual({ a: '1=2' });
});

test.each([
  ['buildargs=%7B', 'error reading build args'],
  ['ulimits=5', 'error reading ulimit settings'],
  ['version=2', 'BuildKit'],
  ['squash=1', 'squash'],
])('refused: %s', async (query, message) => {
  const answer = await served.ask('POST', `/build?${query}`, '', {});
  expect(answer.status).toBe(400);
  expect(answer.body).toContain(message);
});

const id = (letter: string): string => `sha256:${letter.repeat(64)}`;

test('steps side by side are told one after another', async () => {
  const log = (letter: string, data: string): BuildEvent => ({ type: 'log', id: id(letter), stream: 1, data });
  const done = (letter: string, cached = false): BuildEvent => ({
    type: 'done',
    id: id(letter),
    time: 2,
    cached,
    reasons: [],
  });
  script = {
    events: [
      {
        type: 'lines',
        lines: [
          { text: 'FROM busybox', id: id('a'), image: id('d') },
          { text: 'ENV x=1', id: null },
          { text: 'RUN one', id: id('b') },
          { text: 'RUN two', id: id('c') },
        ],
      },
      ...['a', 'b', 'c'].map((letter): BuildEvent => ({ type: 'started', id: id(letter), time: 1 })),
      done('a'),
      { type: 'missed', id: id('c') },
      log('c', 'from two\n'),
      { type: 'missed', id: id('b') },
      log('b', 'from one\n'),
      done('c'),
      done('b'),
    ],
  };
  const { messages } = await build('t=name');
  const text = messages.map(({ stream }) => stream ?? '').join('');
  expect(text.split('\n')).toEqual([
    'Step 1/4 : FROM busybox',
    ' ---> dddddddddddd',
    'Step 2/4 : ENV x=1',
    ' ---> aaaaaaaaaaaa',
    'Step 3/4 : RUN one',
    ' ---> Running in bbbbbbbbbbbb',
    'from one',
    ' ---> Removed intermediate container bbbbbbbbbbbb',
    ' ---> bbbbbbbbbbbb',
    'Step 4/4 : RUN two',
    ' ---> Running in cccccccccccc',
    'from two',
    ' ---> Removed intermediate container cccccccccccc',
    ' ---> abababababab',
    'Successfully built abababababab',
    'Successfully tagged name:latest',
    '',
  ]);
  expect(messages.find(({ aux }) => aux)?.aux).toEqual({ ID: id('ab').slice(0, 71) });
});

test('quiet: nothing but the id', async () => {
  expect((await build('q=1')).messages).toEqual([{ stream: `sha256:${'ab'.repeat(32)}\n` }]);
});

test('a failure before the first line has a status, a later one is told in the stream with its code', async () => {
  script = { events: [], failure: new BerthError('invalid', 'dockerfile parse error on line 1: x') };
  expect((await served.ask('POST', '/build', '', {})).status).toBe(400);
  const failure = Object.assign(new BerthError('internal', 'returned a non-zero code: 3'), { exitCode: 3 });
  const lines: BuildEvent = { type: 'lines', lines: [{ text: 'FROM a', id: id('a') }] };
  script = { events: [lines, { type: 'missed', id: id('a') }], failure };
  const { status, messages } = await build('');
  expect(status).toBe(200);
  expect(messages.at(-1)).toEqual({
    errorDetail: { code: 3, message: 'returned a non-zero code: 3' },
    error: 'returned a non-zero code: 3',
  });
});

test('a base image that cannot be had is told in the stream, what is wrong with the Dockerfile is not', async () => {
  const failure = (kind: 'unavailable' | 'invalid'): BerthError =>
    Object.assign(new BerthError(kind, 'no route'), { excerpt: 'Dockerfile:1' });
  script = { events: [], failure: failure('unavailable') };
  expect(await build('')).toMatchObject({ status: 200, messages: [{ errorDetail: { message: 'no route' } }] });
  script = { events: [], failure: failure('invalid') };
  expect((await served.ask('POST', '/build', '', {})).status).toBe(400);
});

test('parameters that are no JSON, in the words of dockerd', async () => {
  for (const [query, message] of [
    ['buildargs=x', "error reading build args: invalid character 'x' looking for beginning of value"],
    ['cachefrom=x', "error reading cache-from: invalid character 'x' looking for beginning of value"],
    ['labels=x', "error reading labels: invalid character 'x' looking for beginning of value"],
  ])
    expect(JSON.parse((await served.ask('POST', `/build?${query}`, '', {})).body)).toEqual({ message });
});

test('prune', async () => {
  const answer = await served.ask('POST', '/build/prune?all=1&keep-storage=5', '', {});
  expect(JSON.parse(answer.body)).toEqual({ CachesDeleted: null, SpaceReclaimed: 0 });
  expect(served.calls.at(-1)?.arguments[0]).toMatchObject({ all: true, keepBytes: 5 });
});
