/** The same small world made in any engine that speaks Docker's API, and the questions asked about it. */
import { busyboxLayer, dockerArchive } from '../support/images.ts';

export type Ask = (method: string, path: string, body?: unknown) => Promise<{ status: number; value: unknown }>;

/** Asks an engine over its unix socket. */
export function askOver(socket: string): Ask {
  return async (method, path, body) => {
    const answer = await fetch(`http://engine${path}`, {
      unix: socket,
      method,
      ...(body === undefined ? {} : encoded(body)),
    });
    const text = await answer.text();
    let value: unknown = text;
    try {
      value = text === '' ? null : JSON.parse(text);
    } catch {
      value = severalObjects(text);
    }
    return { status: answer.status, value };
  };
}

/** A stream of JSON objects (events) as a list, anything else as it is. */
function severalObjects(text: string): unknown {
  try {
    return text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as unknown);
  } catch {
    // Output of a container, or words of an old version.
    return text;
  }
}

/** Bytes go as they are, everything else as JSON. */
function encoded(body: unknown): { body: string | Blob; headers: Record<string, string> } {
  if (body instanceof Uint8Array)
    return { body: new Blob([body as Uint8Array<ArrayBuffer>]), headers: { 'Content-Type': 'application/x-tar' } };
  return { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } };
}

/** Objects of one run; `suffix` keeps runs on one engine apart. */
export interface World {
  questions: [name: string, path: string][];
  dispose(): Promise<void>;
}

/** Error: where the engine refuses a step. */
export async function makeWorld(ask: Ask, suffix: string): Promise<World> {
  const must = async (method: string, path: string, body?: unknown): Promise<Record<string, unknown>> => {
    const { status, value } = await ask(method, path, body);
    if (status >= 400) throw new Error(`${method} ${path}: ${status} ${JSON.stringify(value)}`);
    return (value ?? {}) as Record<string, unknown>;
  };
  const one = `shape-one-${suffix}`;
  const two = `shape-two-${suffix}`;
  const three = `shape-three-${suffix}`;
  const network = `shape-network-${suffix}`;
  const volume = `shape-volume-${suffix}`;
  const began = Math.floor(Date.now() / 1000);
  const image = `shape-${suffix}:one`;
  await must('POST', '/images/load', dockerArchive({ tags: [image], layers: [busyboxLayer()], config: imageConfig }));
  await must('POST', '/volumes/create', { Name: volume, Labels: { a: 'b' } });
  await must('POST', `/containers/create?name=${one}`, {
    Image: image,
    Cmd: ['sleep', '1000'],
    Env: ['A=b'],
    Labels: { a: 'b' },
    ExposedPorts: { '80/tcp': {}, '81/udp': {} },
    Healthcheck: { Test: ['CMD', 'true'], Interval: 1_000_000_000_000 },
    StopSignal: 'SIGINT',
    StopTimeout: 1,
    HostConfig: {
      Binds: ['/tmp:/x:ro', `${volume}:/v`],
      Tmpfs: { '/t': '' },
      PortBindings: { '80/tcp': [{ HostPort: '' }] },
      Memory: 64 * 1024 * 1024,
      Ulimits: [{ Name: 'nofile', Soft: 100, Hard: 200 }],
      RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 2 },
      Init: false,
    },
  });
  await must('POST', `/containers/${one}/start`);
  await must('POST', `/containers/create?name=${two}`, { Image: image, Cmd: ['true'] });
  const exec = await must('POST', `/containers/${one}/exec`, { Cmd: ['true'], AttachStdout: true });
  const running = await must('POST', `/containers/${one}/exec`, { Cmd: ['sleep', '1000'], Tty: true, Env: ['A=b'] });
  await must('POST', `/exec/${running['Id']}/start`, { Detach: true, Tty: true });
  await must('POST', '/networks/create', {
    Name: network,
    Labels: { a: 'b' },
    IPAM: { Config: [{ Subnet: '10.98.77.0/24', IPRange: '10.98.77.128/25', Gateway: '10.98.77.1' }] },
    Options: { 'com.docker.network.driver.mtu': '1400' },
  });
  await must('POST', `/containers/create?name=${three}`, {
    Image: image,
    Cmd: ['sh', '-c', 'echo out; exit 3'],
    Tty: true,
    OpenStdin: true,
    User: '1:1',
    Entrypoint: [],
    HostConfig: {
      NetworkMode: network,
      ExtraHosts: ['a:10.1.2.3'],
      CapAdd: ['NET_ADMIN'],
      CapDrop: ['CHOWN'],
      Devices: [{ PathOnHost: '/dev/null', PathInContainer: '/dev/nothing', CgroupPermissions: 'r' }],
      Dns: ['192.0.2.53'],
      SecurityOpt: ['no-new-privileges'],
      Sysctls: { 'net.ipv4.ip_forward': '0' },
      LogConfig: { Type: 'json-file', Config: { 'max-size': '1m' } },
      Mounts: [
        { Type: 'tmpfs', Target: '/t', TmpfsOptions: { SizeBytes: 65_536 } },
        { Type: 'volume', Source: volume, Target: '/v', VolumeOptions: { NoCopy: true } },
        { Type: 'bind', Source: '/tmp', Target: '/b', ReadOnly: true, BindOptions: { Propagation: 'rprivate' } },
      ],
    },
    NetworkingConfig: {
      EndpointsConfig: { [network]: { Aliases: ['alias'], IPAMConfig: { IPv4Address: '10.98.77.200' } } },
    },
  });
  await must('POST', `/containers/${three}/start`);
  await must('POST', `/containers/${three}/wait`);
  await must('POST', `/networks/${network}/connect`, { Container: one });
  const until = Math.floor(Date.now() / 1000) + 1;
  const filtered = (key: string, ...values: string[]) =>
    `filters=${encodeURIComponent(JSON.stringify({ [key]: values }))}`;
  return {
    questions: [
      ['container inspect, running', `/containers/${one}/json`],
      ['container inspect, created', `/containers/${two}/json`],
      ['container inspect with size', `/containers/${two}/json?size=1`],
      ['container inspect, exited, with everything', `/containers/${three}/json`],
      ['container logs', `/containers/${three}/logs?stdout=1`],
      ['container list', `/containers/json?all=1&${filtered('name', suffix)}`],
      ['container list with size', `/containers/json?all=1&size=1&${filtered('name', suffix)}`],
      ['container top', `/containers/${one}/top`],
      ['container changes', `/containers/${one}/changes`],
      ['container stats', `/containers/${one}/stats?stream=false&one-shot=1`],
      ['container stats, stopped', `/containers/${two}/stats?stream=false&one-shot=1`],
      ['exec inspect', `/exec/${exec['Id']}/json`],
      ['exec inspect, running', `/exec/${running['Id']}/json`],
      ['events', `/events?since=${began}&until=${until}&${filtered('container', one, three)}`],
      ['image list', `/images/json?${filtered('reference', image)}`],
      ['image inspect', `/images/${image}/json`],
      ['image list with sizes', `/images/json?shared-size=1&manifests=1&${filtered('reference', image)}`],
      ['image history', `/images/${image}/history`],
      ['network list', `/networks?${filtered('type', 'builtin')}`],
      ['network inspect', '/networks/bridge'],
      ['network inspect, none', '/networks/none'],
      ['network list, made', `/networks?${filtered('name', network)}`],
      ['network inspect, made', `/networks/${network}?verbose=1`],
      ['volume list', `/volumes?${filtered('name', volume)}`],
      ['volume inspect', `/volumes/${volume}`],
      ['disk usage', '/system/df'],
      ['info', '/info'],
      ['version', '/version'],
      ['plugins', '/plugins'],
      ['plugin, none', '/plugins/nope/json'],
      ...['swarm', 'nodes', 'services', 'tasks', 'secrets', 'configs'].map((noun): [string, string] => [
        noun,
        `/${noun}`,
      ]),
      ['no such container', '/containers/nope/json'],
      ['no such image', '/images/nope/json'],
      ['no such network', '/networks/nope'],
      ['no such volume', '/volumes/nope'],
      ['no such exec', '/exec/nope/json'],
    ],
    async dispose() {
      for (const name of [one, two, three]) await ask('DELETE', `/containers/${name}?force=1&v=1`);
      await ask('DELETE', `/networks/${network}`);
      await ask('DELETE', `/volumes/${volume}`);
      await ask('DELETE', `/images/${image}?force=1`);
    },
  };
}

const imageConfig = {
  Cmd: ['sh'],
  Labels: { of: 'the image' },
  ExposedPorts: { '82/tcp': {} },
  Volumes: { '/data': {} },
  StopSignal: 'SIGTERM',
  WorkingDir: '/tmp',
};
