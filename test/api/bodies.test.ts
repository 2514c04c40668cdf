/** Request bodies: read as Go reads them, refused in dockerd's words. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { type Served, serve } from './support/served.ts';

let served: Served;
beforeAll(async () => {
  served = await serve();
});
afterAll(() => served.close());

async function create(body: string, headers: Record<string, string> = {}): Promise<[number, string]> {
  const answer = await served.ask('POST', '/containers/create', body, headers);
  return [answer.status, (JSON.parse(answer.body) as { message?: string }).message ?? ''];
}

function created(): { config: Record<string, unknown>; hostConfig: Record<string, unknown>; endpoints: object } {
  return served.calls.filter((call) => call.verb === 'lifecycle.create').at(-1)?.arguments[0] as never;
}

describe('refused, with the words of dockerd 28.5', () => {
  for (const [body, message] of [
    ['', 'invalid JSON: got EOF while reading request body'],
    ['  \n', 'invalid JSON: got EOF while reading request body'],
    ['{', 'invalid JSON: unexpected EOF'],
    ['{"Image":"a"', 'invalid JSON: unexpected EOF'],
    ['xx', "invalid JSON: invalid character 'x' looking for beginning of value"],
    ['{"a":tru}', "invalid JSON: invalid character '}' in literal true (expecting 'e')"],
    ['{"a":1,}', "invalid JSON: invalid character '}' looking for beginning of object key string"],
    ['{"a" 1}', "invalid JSON: invalid character '1' after object key"],
    ['{"a":1 "b"}', `invalid JSON: invalid character '"' after object key:value pair`],
    ['[1 2]', "invalid JSON: invalid character '2' after array element"],
    ['{"a":"\n"}', "invalid JSON: invalid character '\\n' in string literal"],
    ['{"a":"\\x"}', "invalid JSON: invalid character 'x' in string escape code"],
    ['{"a":"\\u12g4"}', "invalid JSON: invalid character 'g' in \\u hexadecimal character escape"],
    ['{"a":-}', "invalid JSON: invalid character '}' in numeric literal"],
    ['{"a":01}', "invalid JSON: invalid character '1' after object key:value pair"],
    ['{"Image":"busybox"} {}', 'unexpected content after JSON'],
    ['{"Image":"busybox"} x', 'unexpected content after JSON'],
    ['null', 'config cannot be empty in order to create a container'],
    ['[]', 'invalid JSON: json: cannot unmarshal array into Go value of type container.CreateRequest'],
    ['"a"', 'invalid JSON: json: cannot unmarshal string into Go value of type container.CreateRequest'],
    ['{"Image":5}', 'invalid JSON: json: cannot unmarshal number into Go struct field .Image of type string'],
    ['{"Tty":"yes"}', 'invalid JSON: json: cannot unmarshal string into Go struct field .Tty of type bool'],
    ['{"Env":"a"}', 'invalid JSON: json: cannot unmarshal string into Go struct field .Env of type []string'],
    ['{"Cmd":[1,2]}', 'invalid JSON: json: cannot unmarshal array into Go value of type string'],
    ['{"Labels":{"a":1}}', 'invalid JSON: json: cannot unmarshal number into Go struct field .Labels.a of type string'],
    [
      '{"HostConfig":[]}',
      'invalid JSON: json: cannot unmarshal array into Go struct field .HostConfig of type container.HostConfig',
    ],
    [
      '{"HostConfig":{"Memory":"a"}}',
      'invalid JSON: json: cannot unmarshal string into Go struct field .HostConfig.Memory of type int64',
    ],
    [
      '{"HostConfig":{"Memory":1.5}}',
      'invalid JSON: json: cannot unmarshal number 1.5 into Go struct field .HostConfig.Memory of type int64',
    ],
    [
      '{"HostConfig":{"Memory":1e3}}',
      'invalid JSON: json: cannot unmarshal number 1e3 into Go struct field .HostConfig.Memory of type int64',
    ],
    [
      '{"HostConfig":{"Memory":9223372036854775808}}',
      'invalid JSON: json: cannot unmarshal number 9223372036854775808 into Go struct field .HostConfig.Memory of type int64',
    ],
    [
      '{"HostConfig":{"PortBindings":{"80/tcp":[{"HostPort":80}]}}}',
      'invalid JSON: json: cannot unmarshal number into Go struct field .HostConfig.PortBindings.80~1tcp.0.HostPort of type string',
    ],
    [
      '{"HostConfig":{"BlkioWeight":70000}}',
      'invalid JSON: json: cannot unmarshal number 70000 into Go struct field .HostConfig.BlkioWeight of type uint16',
    ],
  ] as const)
    test(JSON.stringify(body), async () => {
      expect(await create(body)).toEqual([400, message]);
    });

  test('of an exec: a command is a list, other than of a container', async () => {
    const answer = await served.ask('POST', '/containers/x/exec', '{"Cmd":"ls"}');
    expect([answer.status, JSON.parse(answer.body)]).toEqual([
      400,
      { message: 'invalid JSON: json: cannot unmarshal string into Go struct field .Cmd of type []string' },
    ]);
  });

  test('deep nesting, on our side of the stack', async () => {
    expect(await create(`{"a":${'['.repeat(200_000)}`)).toEqual([400, 'invalid JSON: exceeded max depth']);
    // A number of many digits takes the slower way through the parser.
    const deep = `${'['.repeat(200_000)}1234567890123456789${']'.repeat(200_000)}`;
    expect([201, 400]).toContain((await create(`{"Image":"a","a":${deep}}`))[0]);
  });

  test('other types of content', async () => {
    expect(await create('{}', { 'Content-Type': 'text/plain' })).toEqual([
      400,
      "unsupported Content-Type header (text/plain): must be 'application/json'",
    ]);
    expect((await create('{"Image":"a"}', { 'Content-Type': 'application/json; charset=utf-8' }))[0]).toBe(201);
  });
});

describe('read as Go reads', () => {
  test('keys match whatever their case, unknown ones are ignored, null is absent', async () => {
    expect((await create('{"image":"a","HOSTCONFIG":{"memory":5,"Nonsense":1},"Env":null,"Foo":{"x":[1]}}'))[0]).toBe(
      201,
    );
    expect(created().config).toMatchObject({ Image: 'a', Env: null });
    expect(created().hostConfig['Memory']).toBe(5);
  });

  test('zero values of what is absent', async () => {
    await create('{"Image":"a"}');
    const { config, hostConfig, endpoints } = created();
    expect(config).toMatchObject({ Hostname: '', Tty: false, Cmd: null, Entrypoint: null, Labels: null });
    expect('Healthcheck' in config).toBe(false);
    expect(hostConfig).toMatchObject({
      Memory: 0,
      MemorySwappiness: null,
      RestartPolicy: { Name: '', MaximumRetryCount: 0 },
    });
    expect(hostConfig['NetworkMode']).toBe('bridge');
    expect(endpoints).toEqual({});
  });

  test('an empty entrypoint is not an absent one, a string is a list of one', async () => {
    await create('{"Image":"a","Entrypoint":[],"Cmd":"ls"}');
    expect(created().config).toMatchObject({ Entrypoint: [], Cmd: ['ls'] });
  });

  test('64-bit integers are exact', async () => {
    for (const value of [2n ** 53n - 1n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)]) {
      await create(`{"Image":"a","HostConfig":{"Ulimits":[{"Name":"core","Hard":${value},"Soft":${value}}]}}`);
      const [ulimit] = created().hostConfig['Ulimits'] as { Hard: number | bigint }[];
      expect(BigInt(ulimit?.Hard ?? 0)).toBe(value);
    }
  });

  test('keys named like parts of an object are only keys', async () => {
    await create('{"Image":"a","Labels":{"__proto__":"x","constructor":"y"},"__proto__":{"Tty":true}}');
    expect(Object.entries(created().config['Labels'] as object)).toEqual([
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ]);
    expect(created().config['Tty']).toBe(false);
  });

  test('text that is not UTF-8 gets replacement characters', async () => {
    expect((await create('{"Image":"a","User":"\ud800"}'))[0]).toBe(201);
  });
});

describe('old versions of create', () => {
  async function createAt(version: string, body: object): Promise<[number, { message?: string; Warnings?: string[] }]> {
    const answer = await served.ask('POST', `/v${version}/containers/create`, body);
    return [answer.status, JSON.parse(answer.body)];
  }
  const mac = '02:42:00:00:00:01';

  test('what they did not have', async () => {
    await createAt('1.24', {
      Image: 'a',
      HostConfig: { AutoRemove: true, Annotations: { a: 'b' }, ConsoleSize: [1, 2] },
    });
    expect(created().hostConfig).toMatchObject({
      AutoRemove: false,
      IpcMode: 'shareable',
      CgroupnsMode: 'host',
      ConsoleSize: [0, 0],
    });
    expect('Annotations' in created().hostConfig).toBe(false);
    await createAt('1.43', { Image: 'a', Healthcheck: { StartInterval: 5, Interval: 7 } });
    expect(created().config['Healthcheck']).toEqual({ Interval: 7 });
    await createAt('1.43', {
      Image: 'a',
      HostConfig: { Mounts: [{ Type: 'bind', ReadOnly: true, Source: '/a', Target: '/b' }] },
    });
    expect(created().hostConfig['Mounts']).toMatchObject([{ BindOptions: { ReadOnlyNonRecursive: true } }]);
  });

  test('the address of the container becomes that of its network', async () => {
    await createAt('1.43', { Image: 'a', MacAddress: mac });
    expect(created().endpoints).toMatchObject({ bridge: { MacAddress: mac } });
    const [, answer] = await createAt('1.44', { Image: 'a', MacAddress: mac });
    expect(answer.Warnings).toHaveLength(1);
    expect(created().endpoints).toMatchObject({ bridge: { MacAddress: mac } });
    expect('MacAddress' in created().config).toBe(false);
    const other = { NetworkingConfig: { EndpointsConfig: { bridge: { MacAddress: '02:42:00:00:00:02' } } } };
    expect((await createAt('1.44', { Image: 'a', MacAddress: mac, ...other }))[0]).toBe(400);
  });

  test('ports with an empty list get any free port', async () => {
    const body = { Image: 'a', HostConfig: { PortBindings: { '80/tcp': [], '81/udp': null } } };
    const [, answer] = await createAt('1.52', body);
    expect(answer.Warnings?.[0]).toContain('have an empty list of port-bindings: 80/tcp, 81/udp.');
    expect((await createAt('1.51', body))[1].Warnings).toEqual([]);
    expect(created().hostConfig['PortBindings']).toEqual({
      '80/tcp': [{ HostIp: '', HostPort: '' }],
      '81/udp': [{ HostIp: '', HostPort: '' }],
    });
  });

  test('several networks need 1.44, options must fit their mount from 1.42 on', async () => {
    const networks = { Image: 'a', NetworkingConfig: { EndpointsConfig: { one: {}, two: null } } };
    expect((await createAt('1.43', networks))[0]).toBe(400);
    expect((await createAt('1.44', networks))[0]).toBe(201);
    const mount = { Image: 'a', HostConfig: { Mounts: [{ Type: 'bind', TmpfsOptions: { Mode: 1 } }] } };
    expect((await createAt('1.41', mount))[0]).toBe(201);
    expect(await createAt('1.42', mount)).toEqual([
      400,
      { message: 'TmpfsOptions must not be specified on mount type "bind"' },
    ]);
  });
});
