/** Every route: it answers, its backend is asked with what the request says, errors get Docker's status and words. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { BerthError, type ErrorKind } from '../../src/api/errors.ts';
import { type Route, routes } from '../../src/api/routes.ts';
import { failing } from './support/fake-backends.ts';
import { type Answer, dial, readAll, type Served, serve } from './support/served.ts';

let served: Served;
beforeAll(async () => {
  served = await serve();
});
afterAll(() => served.close());

function json(answer: Answer): unknown {
  return JSON.parse(answer.body);
}

/** What a route needs to succeed, by name; others need nothing. */
const needs: Record<string, { query?: string; body?: unknown }> = {
  events: { query: 'until=1' },
  authenticate: { body: {} },
  containerCreate: { body: { Image: 'busybox' } },
  containerUpdate: { body: {} },
  containerRename: { query: 'name=two' },
  containerResize: { query: 'h=1&w=2' },
  containerLogs: { query: 'stdout=1' },
  containerArchiveStat: { query: 'path=/' },
  containerArchiveRead: { query: 'path=/' },
  containerArchiveWrite: { query: 'path=/' },
  execCreate: { body: { Cmd: ['true'] } },
  execStart: { body: { Detach: true } },
  execResize: { query: 'h=1&w=2' },
  imageCreate: { query: 'fromImage=a' },
  imageTag: { query: 'repo=b' },
  networkCreate: { body: { Name: 'n' } },
  networkConnect: { body: { Container: 'c' } },
  networkDisconnect: { body: { Container: 'c' } },
  volumeCreate: { body: {} },
  berthImageBootstrap: { query: 'name=busybox' },
  berthVolumeRename: { query: 'to=b' },
  berthVolumeClone: { query: 'to=b' },
};

/** Routes that no backend of this test serves. */
const unserved = new Set(['buildCancel', 'session', 'grpc']);

/** A hijack has no end of its own here. */
const hijacks = new Set(['containerAttach', 'containerAttachWebsocket', 'berthBuild']);

describe('each route', () => {
  for (const route of routes as readonly Route[]) {
    if (hijacks.has(route.name)) continue;
    const { query, body } = needs[route.name] ?? {};
    const path = route.path.replace(/\{\w+(\.\.\.)?\}/g, (_whole, rest) => (rest ? 'a/b' : 'one'));
    const target = query ? `${path}?${query}` : path;
    for (const prefix of ['', '/v1.24', '/v1.52'])
      test(`${route.method} ${prefix}${target}`, async () => {
        const answer = await served.ask(route.method, `${prefix}${target}`, body);
        if (route.refused) {
          expect(answer.status).toBe(route.refused.kind === 'unavailable' ? 503 : 501);
          expect(json(answer)).toEqual({ message: route.refused.message });
        } else if (unserved.has(route.name)) {
          expect(answer.status).toBe(501);
          expect(json(answer)).toEqual({ message: `${route.method} ${path} is not supported by this engine` });
        } else if (route.name === 'pluginInspect') expect(answer.status).toBe(404);
        else expect([200, 201, 204]).toContain(answer.status);
        expect(answer.headers.get('api-version')).toBe('1.52');
      });
  }

  test('names are unique', () => {
    const names = routes.map((route) => route.name);
    expect(new Set(names).size).toBe(names.length);
  });
});

describe('versions', () => {
  test('too old: text; too new: JSON; dockerd’s words', async () => {
    const old = await served.ask('GET', '/v1.23/version');
    expect(old.status).toBe(400);
    expect(old.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(old.body).toBe(
      'client version 1.23 is too old. Minimum supported API version is 1.24, please upgrade your client to a newer version\n',
    );
    for (const version of ['1.53', '1.100', '2.0']) {
      const answer = await served.ask('GET', `/v${version}/_ping`);
      expect(answer.status).toBe(400);
      expect(json(answer)).toEqual({
        message: `client version ${version} is too new. Maximum supported API version is 1.52`,
      });
    }
  });

  test('what is no page', async () => {
    for (const [method, path] of [
      ['GET', '/nope'],
      ['GET', '/v1.40/nope'],
      ['GET', '/vx/version'],
      ['DELETE', '/version'],
      ['PUT', '/containers/json'],
      ['GET', '/containers/json/'],
      ['HEAD', '/version'],
    ] as const) {
      const answer = await served.ask(method, path);
      expect(answer.status).toBe(404);
      if (method !== 'HEAD') expect(json(answer)).toEqual({ message: 'page not found' });
    }
  });

  test('ping', async () => {
    const answer = await served.ask('GET', '/_ping');
    expect(answer.body).toBe('OK');
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'api-version': '1.52',
      'builder-version': '1',
      'cache-control': 'no-cache, no-store, must-revalidate',
      'docker-experimental': 'false',
      ostype: 'linux',
      pragma: 'no-cache',
      server: 'Docker/28.5.2 (linux)',
      swarm: 'inactive',
    });
  });

  /** Keys of a reply, one level below `at` where given. */
  async function keys(path: string, at?: string): Promise<string[]> {
    let value = json(await served.ask('GET', path)) as Record<string, unknown>;
    if (Array.isArray(value)) value = value[0];
    return Object.keys(at ? (value[at] as object) : value);
  }

  test('container list', async () => {
    expect(await keys('/v1.52/containers/json')).toContain('Health');
    expect(await keys('/v1.51/containers/json')).not.toContain('Health');
    expect(await keys('/v1.46/containers/json', 'HostConfig')).toEqual(['NetworkMode', 'Annotations']);
    expect(await keys('/v1.45/containers/json', 'HostConfig')).toEqual(['NetworkMode']);
  });

  test('container inspect', async () => {
    expect(await keys('/v1.52/containers/one/json', 'NetworkSettings')).toEqual([
      ...['SandboxID', 'SandboxKey', 'Ports', 'Networks'],
    ]);
    const settings = json(await served.ask('GET', '/v1.51/containers/one/json')) as {
      NetworkSettings: { IPAddress: string; Gateway: string; Networks: Record<string, { Aliases: string[] | null }> };
    };
    expect(settings.NetworkSettings.IPAddress).toBe('172.17.0.2');
    expect(settings.NetworkSettings.Networks['mine']?.Aliases).toBeNull();
    const old = json(await served.ask('GET', '/v1.44/containers/one/json')) as typeof settings;
    expect(old.NetworkSettings.Networks['mine']?.Aliases).toEqual(['aaaaaaaaaaaa']);
    expect(old.NetworkSettings.Networks['bridge']?.Aliases).toBeNull();
  });

  test('integers beyond 2^53 are exact', async () => {
    expect((await served.ask('GET', '/containers/one/json')).body).toContain('"Memory":9007199254740993,');
  });

  test('images', async () => {
    expect(await keys('/v1.44/images/json')).not.toContain('VirtualSize');
    expect(await keys('/v1.43/images/json')).toContain('VirtualSize');
    expect(await keys('/v1.44/images/a/json')).toContain('ContainerConfig');
    expect(await keys('/v1.45/images/a/json')).not.toContain('ContainerConfig');
    expect(await keys('/v1.49/images/a/json', 'Config')).toContain('Hostname');
    expect(await keys('/v1.50/images/a/json', 'Config')).not.toContain('Hostname');
    expect(await keys('/v1.52/images/a/json', 'Config')).toEqual(['Cmd']);
    const counts = await Promise.all(
      [50, 51].map(
        async (minor) => json(await served.ask('GET', `/v1.${minor}/images/json`)) as { Containers: number }[],
      ),
    );
    expect(counts.map(([image]) => image?.Containers)).toEqual([-1, 1]);
  });

  test('disk usage: lists, sums beside them, sums alone', async () => {
    expect(await keys('/v1.51/system/df')).toEqual(['LayersSize', 'Images', 'Containers', 'Volumes', 'BuildCache']);
    const sums = ['ImageUsage', 'ContainerUsage', 'VolumeUsage', 'BuildCacheUsage'];
    expect(await keys('/v1.52/system/df')).toEqual([
      ...['LayersSize', 'Images', 'Containers', 'Volumes', 'BuildCache', ...sums],
    ]);
    expect(await keys('/v1.52/system/df?verbose=0')).toEqual(sums);
    expect(await keys('/v1.52/system/df?verbose=1', 'ImageUsage')).toContain('Items');
    const { ImageUsage } = json(await served.ask('GET', '/v1.52/system/df?verbose=0')) as { ImageUsage: object };
    expect(ImageUsage).toEqual({ ActiveCount: 1, TotalCount: 1, TotalSize: 1, Reclaimable: 0 });
  });

  test('info', async () => {
    expect(await keys('/v1.49/info')).toContain('BridgeNfIptables');
    expect(await keys('/v1.50/info')).not.toContain('BridgeNfIptables');
    expect(await keys('/v1.48/info')).not.toContain('FirewallBackend');
    expect(await keys('/v1.41/info')).toContain('KernelMemory');
    expect((json(await served.ask('GET', '/v1.24/info')) as { SecurityOptions: string[] }).SecurityOptions).toEqual([
      'seccomp',
    ]);
  });
});

describe('errors', () => {
  const expected: Record<ErrorKind, number> = {
    'not-found': 404,
    conflict: 409,
    invalid: 400,
    'not-modified': 304,
    unauthorized: 401,
    forbidden: 403,
    unavailable: 503,
    'not-implemented': 501,
    'too-large': 413,
    cancelled: 500,
    deadline: 500,
    internal: 500,
  };
  for (const [kind, status] of Object.entries(expected))
    test(kind, async () => {
      const own = await serve({ 'lifecycle.stop': failing(new BerthError(kind as ErrorKind, 'words "quoted"')) });
      const answer = await own.ask('POST', '/containers/one/stop');
      expect(answer.status).toBe(status);
      expect(answer.body).toBe(status === 304 ? '' : '{"message":"words \\"quoted\\""}\n');
      expect(own.failures).toHaveLength(1);
      await own.close();
    });

  test('anything else that is thrown', async () => {
    const own = await serve({ 'lifecycle.stop': failing(new Error('boom')) });
    const answer = await own.ask('POST', '/containers/one/stop');
    expect([answer.status, json(answer)]).toEqual([500, { message: 'boom' }]);
    await own.close();
  });

  test('a failure in the middle of a stream breaks it off', async () => {
    const own = await serve({
      'queries.stats': async () =>
        (async function* () {
          yield { id: 'a' };
          throw new Error('boom');
        })(),
    });
    const socket = await dial(own.path);
    socket.write('GET /containers/one/stats HTTP/1.1\r\nHost: x\r\n\r\n');
    const text = (await readAll(socket)).toString();
    expect(text).toContain('{"id":"a",');
    expect(text).not.toEndWith('0\r\n\r\n');
    socket.destroy();
    await own.close();
  });

  test('kill says what it could not do', async () => {
    const own = await serve({ 'lifecycle.kill': failing(new BerthError('invalid', 'invalid signal: FOO')) });
    const answer = await own.ask('POST', '/containers/one/kill?signal=FOO');
    expect([answer.status, json(answer)]).toEqual([
      400,
      { message: 'cannot kill container: one: invalid signal: FOO' },
    ]);
    await own.close();
  });
});

describe('parameters', () => {
  async function lastCall(method: string, target: string, body?: unknown): Promise<unknown[]> {
    const own = await serve();
    await own.ask(method, target, body);
    const call = own.calls.at(-1);
    await own.close();
    return call ? [call.verb, ...call.arguments] : [];
  }

  for (const [method, target, expected] of [
    ['POST', '/containers/one/stop?t=0&signal=INT', ['lifecycle.stop', 'one', { signal: 'INT', timeout: 0 }]],
    ['POST', '/containers/one/stop?t=-1', ['lifecycle.stop', 'one', { signal: '', timeout: -1 }]],
    ['POST', '/v1.41/containers/one/stop?signal=INT', ['lifecycle.stop', 'one', { signal: '', timeout: null }]],
    [
      'DELETE',
      '/containers/one?force=true&v=0',
      ['lifecycle.remove', 'one', { force: true, removeVolumes: false, removeLink: false }],
    ],
    [
      'DELETE',
      '/containers/one?force=None&v=yes',
      ['lifecycle.remove', 'one', { force: false, removeVolumes: true, removeLink: false }],
    ],
    ['POST', '/containers/one/rename?name=%2Ftwo', ['state.rename', 'one', 'two']],
    ['POST', '/containers/one/resize?h=10&w=20', ['state.resize', 'one', { rows: 10, columns: 20 }]],
    ['GET', '/containers/a%20b/top?ps_args=-o+pid', ['queries.top', 'a b', '-o pid']],
    ['GET', '/images/host:5000/a/b:c/json', ['images.inspect', 'host:5000/a/b:c', { platform: null }]],
    [
      'GET',
      '/images/a/json?platform=linux/arm64/v8',
      ['images.inspect', 'a', { platform: { os: 'linux', architecture: 'arm64' } }],
    ],
    ['DELETE', '/images/a/b?force=1&noprune=1', ['images.remove', 'a/b', { force: true, noPrune: true }]],
    ['DELETE', '/networks/a', ['networks.remove', 'a']],
    ['DELETE', '/volumes/a?force=1', ['volumes.remove', 'a', true]],
    ['GET', '/v1.41/volumes', ['volumes.list', new Map()]],
    ['POST', '/v1.41/volumes/prune', ['volumes.prune', new Map([['all', ['true']]])]],
    [
      'GET',
      '/containers/json?limit=-1&filters={"label":{"a=b":true}}',
      ['queries.list', { all: false, limit: 0, size: false, filters: new Map([['label', ['a=b']]]) }],
    ],
  ] as const)
    test(`${method} ${target}`, async () => {
      expect(await lastCall(method, target)).toEqual(expected as unknown as unknown[]);
    });

  test('a pull: tag, digest, credentials, platform', async () => {
    const digest = `sha256:${'a'.repeat(64)}`;
    for (const [query, reference] of [
      ['fromImage=debian&tag=12', 'debian:12'],
      ['fromImage=host:5000/a', 'host:5000/a'],
      ['fromImage=host:5000/a:old&tag=new', 'host:5000/a:new'],
      [`fromImage=debian:12&tag=${digest}`, `debian@${digest}`],
      ['fromImage=debian:', 'debian'],
    ]) {
      const [verb, options] = await lastCall('POST', `/images/create?${query}&platform=arm64`);
      expect(verb).toBe('images.pull');
      expect(options).toEqual({ reference, platform: { os: 'linux', architecture: 'arm64' }, auth: null });
    }
    const own = await serve();
    const header = Buffer.from('{"username":"u","password":"p","extra":1}').toString('base64url');
    await own.ask('POST', '/images/create?fromImage=a', undefined, { 'X-Registry-Auth': header });
    await own.ask('POST', '/images/create?fromImage=a', undefined, { 'X-Registry-Auth': '%%%' });
    expect(own.calls.map((call) => (call.arguments[0] as { auth: unknown }).auth)).toEqual([
      { username: 'u', password: 'p', auth: '', email: '', serveraddress: '', identitytoken: '', registrytoken: '' },
      null,
    ]);
    await own.close();
  });

  test('logs', async () => {
    const [verb, , options] = await lastCall(
      'GET',
      '/containers/one/logs?stdout=1&follow=1&since=1700000000.000000001&until=0&tail=5&timestamps=1',
    );
    expect(verb).toBe('streams.logs');
    expect(options).toEqual({
      stdout: true,
      stderr: false,
      follow: true,
      since: 1_700_000_000_000_000_001n,
      until: null,
      tail: 5,
      timestamps: true,
      details: false,
      mergeFrames: false,
    });
    const own = await serve();
    await own.ask('GET', '/containers/one/logs?stdout=1', undefined, { 'Berth-Merge-Frames': '1' });
    expect(own.calls.at(-1)?.arguments[1]).toMatchObject({ mergeFrames: true });
    await own.close();
    const all = await lastCall('GET', '/containers/one/logs?stdout=1&tail=all');
    expect(all[2]).toMatchObject({ tail: null });
  });

  for (const [method, target, message] of [
    ['GET', '/containers/json?filters=x', 'invalid filter'],
    ['GET', '/containers/json?filters=[]', 'invalid filter'],
    ['GET', '/containers/json?filters={"foo":["a"]}', "invalid filter 'foo'"],
    ['GET', '/containers/json?limit=x', 'strconv.Atoi: parsing "x": invalid syntax'],
    [
      'POST',
      '/containers/one/stop?t=99999999999999999999',
      'strconv.Atoi: parsing "99999999999999999999": value out of range',
    ],
    ['POST', '/containers/one/resize?h=a', 'invalid resize height "a": invalid syntax'],
    ['POST', '/containers/one/resize?h=1&w=-1', 'invalid resize width "-1": invalid syntax'],
    ['POST', '/containers/one/resize?h=1&w=4294967296', 'invalid resize width "4294967296": value out of range'],
    ['POST', '/containers/one/rename', 'Neither old nor new names may be empty'],
    ['POST', '/containers/one/wait?condition=foo', 'invalid condition: "foo"'],
    ['POST', '/containers/one/attach?detachKeys=foo', 'Invalid detach keys (foo) provided'],
    ['GET', '/containers/one/logs', 'Bad parameters: you must choose at least one stream'],
    ['GET', '/containers/one/logs?stdout=1&since=abc', 'strconv.ParseInt: parsing "abc": invalid syntax'],
    ['GET', '/containers/one/archive', 'bad parameter: pathcannot be empty'],
    ['GET', '/events?since=10m', 'strconv.ParseInt: parsing "10m": invalid syntax'],
    ['GET', '/events?since=5&until=1', '`since` time (5) cannot be after `until` time (1)'],
    ['GET', '/system/df?type=x', 'unknown object type: x'],
    ['GET', '/containers/%zz/json', 'invalid URL escape in "/containers/%zz/json"'],
  ] as const)
    test(`${method} ${target} is refused`, async () => {
      const answer = await served.ask(method, target);
      expect([answer.status, json(answer)]).toEqual([400, { message }]);
    });
});
