/** Requests that an engine must refuse, as data. `RUNNING`, `CREATED`, `PAUSED` and `EXEC` are names of one world. */

export interface BadRequest {
  method: string;
  path: string;
  body?: unknown;
}

const states = ['nope', 'RUNNING', 'CREATED', 'PAUSED'];

/** Verbs on containers in states that do not allow them. */
const wrongState: BadRequest[] = [
  ...['start', 'stop?t=0', 'restart?t=0', 'kill', 'pause', 'unpause', 'resize?h=1&w=1', 'rename?name=CREATED'].map(
    (verb) => ({ method: 'POST', path: `/containers/nope/${verb}` }),
  ),
  ...['stop?t=0', 'kill', 'pause', 'unpause', 'resize?h=1&w=1', 'rename?name=RUNNING'].map((verb) => ({
    method: 'POST',
    path: `/containers/CREATED/${verb}`,
  })),
  ...['start', 'pause', 'rename?name=CREATED'].map((verb) => ({ method: 'POST', path: `/containers/PAUSED/${verb}` })),
  ...['start', 'unpause'].map((verb) => ({ method: 'POST', path: `/containers/RUNNING/${verb}` })),
  ...['nope', 'CREATED', 'PAUSED'].map((name) => ({
    method: 'POST',
    path: `/containers/${name}/exec`,
    body: { Cmd: ['true'] },
  })),
  ...states.flatMap((name) => [
    { method: 'POST', path: `/containers/${name}/wait?condition=foo` },
    { method: 'GET', path: `/containers/${name}/logs` },
  ]),
  ...['nope', 'CREATED'].map((name) => ({ method: 'GET', path: `/containers/${name}/top` })),
  { method: 'GET', path: '/containers/PAUSED/top?ps_args=-x' },
  { method: 'GET', path: '/containers/nope/changes' },
  { method: 'GET', path: '/containers/nope/stats?stream=false' },
  ...['nope', 'RUNNING', 'PAUSED'].map((name) => ({ method: 'DELETE', path: `/containers/${name}` })),
  ...['FOO', '0'].map((signal) => ({ method: 'POST', path: `/containers/RUNNING/kill?signal=${signal}` })),
  { method: 'POST', path: '/containers/nope/update', body: {} },
  { method: 'POST', path: '/containers/RUNNING/update', body: { Memory: 1 } },
  { method: 'POST', path: '/containers/RUNNING/update', body: { RestartPolicy: { Name: 'foo' } } },
  { method: 'POST', path: '/containers/RUNNING/rename' },
  { method: 'POST', path: '/exec/nope/start', body: {} },
  { method: 'GET', path: '/exec/nope/json' },
  { method: 'POST', path: '/exec/nope/resize?h=1&w=1' },
  { method: 'POST', path: '/containers/RUNNING/exec', body: {} },
  { method: 'POST', path: '/containers/RUNNING/exec', body: { Cmd: ['true'], User: 'ghost' } },
  { method: 'POST', path: '/containers/RUNNING/exec', body: { Cmd: ['true'], DetachKeys: 'ctrl-' } },
];

const names: BadRequest[] = ['a', 'RUNNING', '-x', 'a b', 'a/b', 'é', '/RUNNING'].map((name) => ({
  method: 'POST',
  path: `/containers/create?name=${encodeURIComponent(name)}`,
  body: { Image: 'IMAGE', Cmd: ['true'] },
}));

function creates(): BadRequest[] {
  const create = (body: object): BadRequest => ({
    method: 'POST',
    path: '/containers/create?name=refused',
    body: { Image: 'IMAGE', Cmd: ['true'], ...body },
  });
  const digest = `sha256:${'0'.repeat(64)}`;
  const mount = (options: object) => ({ Mounts: [options] });
  const ports = (ports: object) => ({ PortBindings: ports });
  return [
    ...['', 'UPPER', 'a b', 'nope:x', digest, `nope@${digest}`].map((Image) => create({ Image })),
    ...['x', '80/foo'].map((port) => create({ ExposedPorts: { [port]: {} } })),
    ...[
      ...[{ WorkingDir: 'rel' }, { StopSignal: 'FOO' }, { Hostname: '-x' }, { Healthcheck: { Interval: 5 } }],
      ...[{ Env: ['=x'] }, { Env: [''] }, { Entrypoint: [''], Cmd: null }],
    ].map(create),
    ...[
      ...[{ Memory: 1 }, { Memory: -1 }, { Memory: 6291455 }, { MemorySwap: 5 }, { MemoryReservation: 1 }],
      ...[
        { Memory: 10485760, MemorySwap: 5 },
        { Memory: 10485760, MemoryReservation: 20971520 },
      ],
      ...[{ NanoCpus: -1 }, { NanoCpus: 1e12 }, { CpuPeriod: 5 }, { CpuQuota: 5 }, { CpusetCpus: '99' }],
      ...[{ CpusetCpus: 'x' }, { CpusetMems: '9' }, { ShmSize: -1 }, { OomScoreAdj: 2000 }, { MemorySwappiness: 200 }],
      ...[{ BlkioWeight: 5 }, { CpuShares: -1 }, { RestartPolicy: { Name: 'foo' } }],
      { RestartPolicy: { Name: 'always', MaximumRetryCount: 3 } },
      { RestartPolicy: { Name: 'on-failure', MaximumRetryCount: -3 } },
      { RestartPolicy: { Name: 'always' }, AutoRemove: true },
      ...['container:nope', 'container:'].map((NetworkMode) => ({ NetworkMode })),
      ...[{ PidMode: 'foo' }, { PidMode: 'container:nope' }, { IpcMode: 'foo' }, { UTSMode: 'foo' }],
      ...[{ CgroupnsMode: 'foo' }, { Runtime: 'nope' }, { Isolation: 'hyperv' }, { CapAdd: ['FOO'] }],
      ...[{ CapDrop: ['FOO'] }, { SecurityOpt: ['foo'] }, { SecurityOpt: ['foo=bar'] }, { SecurityOpt: ['seccomp=x'] }],
      ...[{ Ulimits: [{ Name: 'foo', Soft: 1, Hard: 1 }] }, { Ulimits: [{ Name: 'nofile', Soft: 2, Hard: 1 }] }],
      ...[{ ExtraHosts: ['foo'] }, { ExtraHosts: ['foo:bar'] }, { Dns: ['x'] }],
      { LogConfig: { Type: 'json-file', Config: { foo: '1' } } },
      { LogConfig: { Type: 'json-file', Config: { 'max-size': 'x' } } },
      ...[
        ...[{ foo: 'x' }, { tag: 'x' }, { mode: 'x' }, { 'max-buffer-size': '1k' }],
        ...[
          { mode: 'blocking', 'max-buffer-size': '1k' },
          { mode: 'non-blocking', 'max-buffer-size': 'x' },
        ],
      ].map((Config) => ({ LogConfig: { Type: 'local', Config } })),
      ...['nowhere', 'logentries'].map((Type) => ({ LogConfig: { Type, Config: {} } })),
      ...['x', 'a:b', '/a:/b:foo', '/a:/', ':/a'].map((bind) => ({ Binds: [bind] })),
      ...[{ Binds: ['/a:/b', '/c:/b'] }, { Tmpfs: { rel: '' } }, { Tmpfs: { '/x': 'foo' } }],
      mount({ Type: 'foo', Target: '/x' }),
      mount({ Type: 'bind', Source: '/nope123', Target: '/x' }),
      mount({ Type: 'bind', Target: '/x' }),
      mount({ Type: 'volume', Source: 'v' }),
      mount({ Type: 'tmpfs', Source: 'x', Target: '/x' }),
      ...[{ 'foo/tcp': [] }, { '99999/tcp': [] }, { '80/foo': [] }].map(ports),
      ...['foo', '99999'].map((HostPort) => ports({ '80/tcp': [{ HostPort }] })),
      ports({ '80/tcp': [{ HostIp: 'x', HostPort: '1' }] }),
    ].map((HostConfig) => create({ HostConfig })),
  ];
}

function filters(): BadRequest[] {
  const get = (path: string, text: string): BadRequest => ({
    method: 'GET',
    path: `${path}?filters=${encodeURIComponent(text)}`,
  });
  return [
    ...['x', '[]', '{"foo":["a"]}', '{"status":["foo"]}', '{"health":["foo"]}', '{"exited":["x"]}'].map((text) =>
      get('/containers/json', text),
    ),
    ...['{"before":["nope"]}', '{"since":["nope"]}'].map((text) => get('/containers/json', text)),
    ...['x', '{"foo":["a"]}', '{"before":["nope"]}', '{"since":["nope"]}', '{"dangling":["maybe"]}'].map((text) =>
      get('/images/json', text),
    ),
    ...['x', '{"foo":["a"]}'].flatMap((text) => [get('/networks', text), get('/volumes', text)]),
    get('/volumes', '{"dangling":["x"]}'),
    { method: 'POST', path: '/images/prune?filters=%7B%22dangling%22%3A%5B%22x%22%5D%7D' },
    { method: 'POST', path: '/volumes/prune?filters=%7B%22foo%22%3A%5B%22x%22%5D%7D' },
  ];
}

const images: BadRequest[] = [
  ...['nope', 'UPPER', 'a b', 'sha256:00', '..', '-'].flatMap((name) => [
    { method: 'GET', path: `/images/${encodeURIComponent(name)}/json` },
    { method: 'GET', path: `/images/${encodeURIComponent(name)}/history` },
    { method: 'DELETE', path: `/images/${encodeURIComponent(name)}` },
  ]),
  { method: 'GET', path: '/images/nope/get' },
  { method: 'POST', path: '/images/nope/tag?repo=a' },
  ...['repo=UPPER', 'repo=a&tag=-x', 'repo=a%20b', 'repo=a&tag=b:c', `repo=${'0'.repeat(64)}`].map((query) => ({
    method: 'POST',
    path: `/images/IMAGE/tag?${query}`,
  })),
  ...['fromImage=UPPER', 'fromImage=a&tag=-x', 'fromSrc=-&repo=UPPER'].map((query) => ({
    method: 'POST',
    path: `/images/create?${query}`,
  })),
];

const others: BadRequest[] = [
  { method: 'GET', path: '/networks/nope' },
  { method: 'GET', path: '/volumes/nope' },
  { method: 'DELETE', path: '/volumes/nope' },
  { method: 'POST', path: '/volumes/create', body: { Name: 'a/b' } },
  ...[
    ...[{ Name: 'x' }, { Name: '..' }, { Name: '-a' }, { Name: 'refused', Driver: 'nowhere' }],
    ...[
      ...[{ foo: 'x' }, { type: 'tmpfs' }, { device: '/x' }, { o: 'bind' }, { type: 'none', o: 'bind' }],
      ...[{ size: 'x' }, { size: '1m' }, { Type: 'tmpfs' }],
    ].map((DriverOpts) => ({ Name: 'refused', DriverOpts })),
  ].map((body): BadRequest => ({ method: 'POST', path: '/volumes/create', body })),
  { method: 'GET', path: '/events?since=5&until=1' },
  { method: 'GET', path: '/system/df?type=x' },
  { method: 'GET', path: '/swarm' },
  { method: 'POST', path: '/swarm/leave' },
  { method: 'GET', path: '/services' },
  { method: 'GET', path: '/plugins/x/json' },
  { method: 'GET', path: '/nope' },
  { method: 'GET', path: '/v9.9/info' },
];

export const badRequests: readonly BadRequest[] = [
  ...wrongState,
  ...names,
  ...creates(),
  ...filters(),
  ...images,
  ...others,
];
