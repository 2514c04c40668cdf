/** An engine that knows one fixed world and answers every read as dockerd 28 would: the same bytes for each client that asks. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { encodeFrame } from '../../src/wire/stdcopy.ts';

const second = 1000;
const day = 24 * 3600;

/** Unix seconds, so long ago that a few seconds of test do not change Docker's rough words. */
function ago(seconds: number): number {
  return Math.floor(Date.now() / second) - seconds;
}

const webId = '5ffb9fef0d1aecca3e92405191297818257d7150e439c44e185c8831e9f283ea';
const doneId = 'fd04fec84d831df8c17b353e5d0d83a7c16bc9948027618a4e69944df7274941';
const imageId = 'sha256:040bb0f31ee9efc3479df57375d60b4a8559bb96d79f1059b9c1c5f3a0b510b7';
const danglingId = 'sha256:51d21eace0c75b1744f369795e2cf3aac7cc2fd0752988aa9fc8a1086b84c784';

function containers() {
  const networks = { bridge: { NetworkID: 'n1', IPAddress: '172.17.0.2', Gateway: '172.17.0.1', IPPrefixLen: 16 } };
  return [
    {
      Id: webId,
      Names: ['/web', '/other/alias'],
      Image:
        'registry.example:5000/team/nginx:1.27@sha256:040bb0f31ee9efc3479df57375d60b4a8559bb96d79f1059b9c1c5f3a0b510b7',
      ImageID: imageId,
      Command: `sh -c 'echo "hello world" && nginx -g "daemon off;"'`,
      Created: ago(3 * 3600 + 600),
      Ports: [
        { IP: '0.0.0.0', PrivatePort: 80, PublicPort: 8080, Type: 'tcp' },
        { IP: '::', PrivatePort: 80, PublicPort: 8080, Type: 'tcp' },
        { IP: '127.0.0.1', PrivatePort: 90, PublicPort: 90, Type: 'tcp' },
        { IP: '127.0.0.1', PrivatePort: 91, PublicPort: 91, Type: 'tcp' },
        { PrivatePort: 443, Type: 'tcp' },
        { PrivatePort: 444, Type: 'tcp' },
        { PrivatePort: 53, Type: 'udp' },
      ],
      SizeRw: 12_345_678,
      SizeRootFs: 2_065_225_000,
      Labels: { 'com.example.role': 'front', zone: 'a', alone: '' },
      State: 'running',
      Status: 'Up 3 hours (healthy)',
      HostConfig: { NetworkMode: 'bridge' },
      NetworkSettings: { Networks: networks },
      Mounts: [
        {
          Type: 'volume',
          Name: 'avolumewithaverylongname',
          Source: '/v/_data',
          Destination: '/data',
          Driver: 'local',
          Mode: 'z',
          RW: true,
          Propagation: '',
        },
        { Type: 'bind', Source: '/etc/hosts', Destination: '/h', Mode: '', RW: false, Propagation: 'rprivate' },
      ],
    },
    {
      Id: doneId,
      Names: ['/done'],
      Image: imageId,
      ImageID: imageId,
      Command: 'true',
      Created: ago(9 * day),
      Ports: [],
      Labels: {},
      State: 'exited',
      Status: 'Exited (0) 8 days ago',
      HostConfig: { NetworkMode: 'none' },
      NetworkSettings: { Networks: {} },
      Mounts: [],
    },
  ];
}

function images() {
  const common = { Containers: -1, SharedSize: -1, Labels: null, ParentId: '' };
  return [
    {
      ...common,
      Id: imageId,
      Created: ago(40 * 60),
      RepoTags: ['busybox:latest', 'busybox:1.37'],
      RepoDigests: [`busybox@${imageId}`],
      Size: 2_065_225,
    },
    { ...common, Id: danglingId, Created: ago(400 * day), RepoTags: [], RepoDigests: [], Size: 999 },
  ];
}

const history = [
  {
    Comment: 'buildkit.dockerfile.v0',
    Created: 1_700_000_000,
    CreatedBy: '/bin/sh -c #(nop)  CMD ["nginx" "-g" "daemon off;"] and a line that is rather long',
    Id: imageId,
    Size: 0,
    Tags: ['busybox:latest'],
  },
  {
    Comment: '',
    Created: 1_600_000_000,
    CreatedBy: 'ADD\tfile:abc in /',
    Id: '<missing>',
    Size: 77_900_123,
    Tags: null,
  },
];

const networks = [
  {
    Name: 'zeta10',
    Id: 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',
    Created: '2026-11-21T09:39:53.954642129Z',
    Scope: 'local',
    Driver: 'bridge',
    EnableIPv4: true,
    EnableIPv6: false,
    IPAM: { Driver: 'default', Options: null, Config: [{ Subnet: '172.17.0.0/16', Gateway: '172.17.0.1' }] },
    Internal: false,
    Attachable: false,
    Ingress: false,
    ConfigFrom: { Network: '' },
    ConfigOnly: false,
    Containers: {},
    Options: {},
    Labels: { b: '2' },
  },
  {
    Name: 'zeta9',
    Id: 'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb',
    Created: '2026-11-21T09:39:53Z',
    Scope: 'local',
    Driver: 'null',
    EnableIPv4: true,
    EnableIPv6: true,
    IPAM: { Driver: 'default', Options: null, Config: null },
    Internal: true,
    Attachable: false,
    Ingress: false,
    ConfigFrom: { Network: '' },
    ConfigOnly: false,
    Containers: {},
    Options: {},
    Labels: {},
  },
];

const volume = {
  CreatedAt: '2026-11-21T10:05:51Z',
  Driver: 'local',
  Labels: { x: 'y' },
  Mountpoint: '/v/_data',
  Name: 'data',
  Options: null,
  Scope: 'local',
};

const inspectText = JSON.stringify({
  Id: webId,
  Created: '2026-11-21T10:35:26.123456789Z',
  Path: 'sh',
  Args: ['-c', 'echo "<hello>" & exit'],
  State: {
    Status: 'running',
    Running: true,
    Paused: false,
    Restarting: false,
    OOMKilled: false,
    Dead: false,
    Pid: 42,
    ExitCode: 0,
    Error: '',
    StartedAt: '2026-11-21T10:35:27Z',
    FinishedAt: '0001-01-01T00:00:00Z',
  },
  Image: imageId,
  Name: '/web',
  RestartCount: 0,
  HostConfig: { Binds: null, RestartPolicy: { Name: 'no', MaximumRetryCount: 0 }, Ulimits: [], Memory: 0 },
  Mounts: [{ Type: 'bind', Source: '/etc/hosts', Destination: '/h', Mode: '', RW: false, Propagation: 'rprivate' }],
  Config: {
    Hostname: 'web',
    Tty: false,
    Env: ['A=1', 'B=2'],
    Cmd: ['sh', '-c', 'x'],
    Labels: { a: 'b' },
    ExposedPorts: { '80/tcp': {} },
  },
  NetworkSettings: {
    Ports: {
      '80/tcp': [
        { HostIp: '0.0.0.0', HostPort: '8080' },
        { HostIp: '::', HostPort: '8080' },
      ],
      '443/tcp': null,
      '9/udp': [{ HostIp: '127.0.0.1', HostPort: '9' }],
    },
    IPAddress: '172.17.0.2',
    Networks: { bridge: { IPAddress: '172.17.0.2' } },
  },
}).replace('"Memory":0', '"Memory":9223372036854775807');

const events = [
  {
    status: 'start',
    id: webId,
    from: 'busybox',
    Type: 'container',
    Action: 'start',
    Actor: { ID: webId, Attributes: { name: 'web', image: 'busybox' } },
    scope: 'local',
    time: 1795257345,
    timeNano: '1795257345123456789',
  },
  {
    Type: 'network',
    Action: 'connect',
    Actor: { ID: 'n1', Attributes: {} },
    scope: 'local',
    time: 1795257346,
    timeNano: '1795257346000000000',
  },
]
  .map((event) => `${JSON.stringify(event).replace(/"timeNano":"(\d+)"/, '"timeNano":$1')}\n`)
  .join('');

const top = {
  Titles: ['UID', 'PID', 'PPID', 'C', 'STIME', 'TTY', 'TIME', 'CMD'],
  Processes: [['root', '5070', '5045', '2', '10:05', '?', '00:00:00', 'sleep 1000 and a command that is long']],
};

const logs = Buffer.concat([
  encodeFrame(1, Buffer.from('out one\n')),
  encodeFrame(2, Buffer.from('err\n')),
  encodeFrame(1, Buffer.from('out two\n')),
]);

const names = new Set(['web', 'done', webId, doneId, webId.slice(0, 12)]);

/** Method and path (a pattern) → the answer. */
type Handler = (match: RegExpExecArray, response: ServerResponse, request: IncomingMessage) => void;

function json(response: ServerResponse, value: unknown, status = 200): void {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  response.writeHead(status, { 'Content-Type': 'application/json' });
  response.end(`${text}\n`);
}

function noContainer(response: ServerResponse, name: string): void {
  json(response, { message: `No such container: ${name}` }, 404);
}

const stats = {
  name: '/web',
  id: webId,
  read: '2026-11-21T10:05:52Z',
  preread: '2026-11-21T10:05:51Z',
  pids_stats: { current: 3 },
  cpu_stats: { cpu_usage: { total_usage: 3_000_000 }, system_cpu_usage: 20_000_000, online_cpus: 2 },
  precpu_stats: { cpu_usage: { total_usage: 1_000_000 }, system_cpu_usage: 10_000_000 },
  memory_stats: { usage: 300 << 20, limit: 1 << 30, stats: { total_inactive_file: 100 << 20 } },
  networks: { eth0: { rx_bytes: 1500, tx_bytes: 10 }, eth1: { rx_bytes: 500, tx_bytes: 0 } },
  blkio_stats: { io_service_bytes_recursive: [{ major: 8, minor: 0, op: 'read', value: 4096 }] },
};

function diskUsage() {
  const sized = images().map((image) => ({ ...image, Containers: image.Id === imageId ? 2 : 0, SharedSize: 500 }));
  const used = { ...volume, UsageData: { RefCount: 2, Size: 1234567 } };
  return { LayersSize: 3_000_000, Images: sized, Containers: containers(), Volumes: [used], BuildCache: [] };
}

const handlers: [RegExp, Handler][] = [
  [
    /^POST \/containers\/prune/,
    (_m, response) => json(response, { ContainersDeleted: [doneId], SpaceReclaimed: 1000 }),
  ],
  [/^POST \/networks\/prune/, (_m, response) => json(response, { NetworksDeleted: ['zeta10'] })],
  [/^POST \/volumes\/prune/, (_m, response) => json(response, { VolumesDeleted: ['data'], SpaceReclaimed: 500 })],
  [
    /^POST \/images\/prune/,
    (_m, response) =>
      json(response, { ImagesDeleted: [{ Untagged: 'x:1' }, { Deleted: danglingId }], SpaceReclaimed: 999 }),
  ],
  [/^POST \/build\/prune/, (_m, response) => json(response, { CachesDeleted: null, SpaceReclaimed: 0 })],
  [/^GET \/system\/df/, (_m, response) => json(response, diskUsage())],
  [
    /^GET \/containers\/web\/changes/,
    (_m, response) =>
      json(response, [
        { Path: '/a', Kind: 0 },
        { Path: '/b c', Kind: 1 },
        { Path: '/d', Kind: 2 },
      ]),
  ],
  [/^GET \/containers\/web\/stats/, (_m, response) => json(response, stats)],
  [/^POST \/containers\/web\/update/, (_m, response) => json(response, { Warnings: ['careful'] })],
  [/^POST \/networks\/create/, (_m, response) => json(response, { Id: 'newid', Warning: '' }, 201)],
  [
    /^DELETE \/networks\/zeta9/,
    (_m, response) => {
      response.writeHead(204);
      response.end();
    },
  ],
  [/^GET \/info/, (_m, response) => json(response, { Swarm: { LocalNodeState: 'inactive' } })],
  [/^GET \/containers\/json/, (_m, response) => json(response, containers())],
  [
    /^GET \/containers\/([^/]+)\/json/,
    ([, name], response) =>
      names.has(name as string) ? json(response, inspectText) : noContainer(response, name as string),
  ],
  [/^GET \/containers\/([^/]+)\/top/, (_m, response) => json(response, top)],
  [
    /^GET \/containers\/([^/]+)\/logs/,
    (_m, response) => {
      response.writeHead(200, { 'Content-Type': 'application/vnd.docker.multiplexed-stream' });
      response.end(logs);
    },
  ],
  [
    /^POST \/containers\/([^/]+)\/(?:start|stop|restart|kill|pause|unpause|rename)/,
    ([, name], response) => {
      if (!names.has(name as string)) return noContainer(response, name as string);
      response.writeHead(204);
      response.end();
    },
  ],
  [
    /^DELETE \/containers\/([^/?]+)/,
    ([, name], response) => {
      if (!names.has(name as string)) return noContainer(response, name as string);
      response.writeHead(204);
      response.end();
    },
  ],
  [
    /^POST \/containers\/([^/]+)\/wait/,
    ([, name], response) =>
      names.has(name as string) ? json(response, { StatusCode: 17 }) : noContainer(response, name as string),
  ],
  [/^GET \/images\/json/, (_m, response) => json(response, images())],
  [/^GET \/images\/busybox\/history/, (_m, response) => json(response, history)],
  [
    /^DELETE \/images\/busybox/,
    (_m, response) => json(response, [{ Untagged: 'busybox:latest' }, { Deleted: imageId }]),
  ],
  [
    /^POST \/images\/busybox\/tag/,
    (_m, response) => {
      response.writeHead(201);
      response.end();
    },
  ],
  [
    /^\w+ \/images\/([^?]+?)(?:\/(?:json|history|tag))?(?:\?|$)/,
    ([, name], response) => json(response, { message: `No such image: ${name}:latest` }, 404),
  ],
  [/^GET \/networks(?:\?|$)/, (_m, response) => json(response, networks)],
  [/^GET \/networks\/zeta9/, (_m, response) => json(response, networks[1])],
  [/^GET \/networks\/([^?]+)/, ([, name], response) => json(response, { message: `network ${name} not found` }, 404)],
  [
    /^GET \/volumes(?:\?|$)/,
    (_m, response) =>
      json(response, { Volumes: [volume, { ...volume, Name: 'another', Labels: null }], Warnings: null }),
  ],
  [/^GET \/volumes\/data/, (_m, response) => json(response, volume)],
  [/^\w+ \/volumes\/([^?]+)/, ([, name], response) => json(response, { message: `get ${name}: no such volume` }, 404)],
  [
    /^GET \/events/,
    (_m, response) => {
      response.writeHead(200, { 'Content-Type': 'application/json' });
      response.end(events);
    },
  ],
  [
    /^POST \/images\/create/,
    (_m, response) => {
      response.writeHead(200, { 'Content-Type': 'application/json' });
      response.write(
        '{"status":"Pulling from library/busybox","id":"latest"}\r\n{"status":"Pulling fs layer","progressDetail":{},"id":"aaa"}\r\n',
      );
      response.write(
        '{"status":"Downloading","progressDetail":{"current":5,"total":10},"progress":"[==>  ]","id":"aaa"}\r\n{"status":"Pull complete","progressDetail":{},"id":"aaa"}\r\n',
      );
      response.end(
        '{"status":"Digest: sha256:abc"}\r\n{"status":"Status: Downloaded newer image for busybox:latest"}\r\n',
      );
    },
  ],
];

function answer(request: IncomingMessage, response: ServerResponse): void {
  const path = (request.url ?? '').replace(/^\/v1\.\d+/, '');
  response.setHeader('Api-Version', '1.51');
  response.setHeader('Ostype', 'linux');
  if (path.startsWith('/_ping')) {
    response.writeHead(200, { 'Content-Type': 'text/plain' });
    response.end(request.method === 'HEAD' ? undefined : 'OK');
    return;
  }
  for (const [pattern, handler] of handlers) {
    const match = pattern.exec(`${request.method} ${path}`);
    if (!match) continue;
    handler(match, response, request);
    return;
  }
  if (/^\/(services|nodes|tasks|secrets|configs)\//.test(path))
    json(response, { message: 'This node is not a swarm manager.' }, 503);
  else json(response, { message: 'plugin not found' }, 404);
}

export interface FakeEngine extends AsyncDisposable {
  host: string;
}

/** @param path of the socket */
export async function startFakeEngine(path: string): Promise<FakeEngine> {
  const server = createServer((request, response) => {
    request.resume();
    request.on('end', () => answer(request, response));
  });
  await new Promise<void>((resolve) => void server.listen(path, resolve));
  return {
    host: `unix://${path}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
