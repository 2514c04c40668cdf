/** Options of bridge networks and of places on them, gateways, links of the default bridge, and the daemon's flags of networks. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test';
import type { TestEngine } from '../support/engine.ts';
import { answerOf, ask, inNetworkOf, type Machine, silence } from '../support/machine.ts';
import { type NeighbouredEngine, startBesideNeighbour } from '../support/neighbour.ts';

const bridge = 'com.docker.network.bridge';

let all: NeighbouredEngine;
let engine: TestEngine;
let host: Machine;
beforeAll(async () => {
  all = await startBesideNeighbour();
  ({ engine, host } = all);
});
afterEach(async () => {
  await engine.removeContainers();
  await docker('network', 'prune', '-f');
});
afterAll(() => all.stop());

async function dockerOf(one: TestEngine, args: string[]): Promise<string> {
  const result = await one.docker(...args);
  if (result.code !== 0) throw new Error(`docker ${args.join(' ')}: exit code ${result.code}\n${result.stderr}`);
  return result.stdout.trim();
}

function docker(...args: string[]): Promise<string> {
  return dockerOf(engine, args);
}

async function refusal(...args: string[]): Promise<string> {
  const result = await engine.docker(...args);
  expect(result.code).not.toBe(0);
  return result.stderr;
}

const server = ['busybox', 'sh', '-c', 'mkdir /w; hostname >/w/index.html; exec httpd -f -p 80 -h /w'];
const sleeper = ['busybox', 'sleep', '1000'];

async function inNetwork(container: string, ...command: string[]): Promise<string> {
  const { Pid } = (await engine.inspect(container)).State;
  return (await host.ok(...inNetworkOf(Pid).prefix, ...command)).trim();
}

async function defaultRoute(container: string): Promise<string> {
  return (await inNetwork(container, 'ip', 'route', 'show', 'default')).trim();
}

async function create(name: string, subnet: string, ...options: string[]): Promise<void> {
  await docker('network', 'create', '--subnet', subnet, ...options.flatMap((option) => ['-o', option]), name);
}

describe('a network of the bridge driver', () => {
  test('has the MTU, the name, the addresses and the interfaces that it was made with', async () => {
    const options = [`${bridge}.name=ownbr`, 'com.docker.network.driver.mtu=1400'];
    const flags = [...options, 'com.docker.network.container_iface_prefix=lan'].flatMap((option) => ['-o', option]);
    const range = ['--ip-range', '10.95.1.128/25', '--gateway', '10.95.1.254', '--aux-address', 'router=10.95.1.128'];
    await docker('network', 'create', '--subnet', '10.95.1.0/24', ...range, ...flags, 'own');
    await docker('run', '-d', '--name', 'cc0', '--network', 'own', ...sleeper);
    expect(await inNetwork('cc0', 'ip', '-br', 'address', 'show', 'lan0')).toContain('10.95.1.129/24');
    expect(await docker('exec', 'cc0', 'cat', '/sys/class/net/lan0/mtu')).toBe('1400');
    expect(await host.ok('ip', '-br', 'address', 'show', 'ownbr')).toContain('10.95.1.254/24');
    expect(await defaultRoute('cc0')).toContain('via 10.95.1.254 ');
    expect(JSON.parse(await docker('network', 'inspect', 'own', '--format', '{{json .IPAM.Config}}'))).toEqual([
      {
        Subnet: '10.95.1.0/24',
        IPRange: '10.95.1.128/25',
        Gateway: '10.95.1.254',
        AuxiliaryAddresses: { router: '10.95.1.128' },
      },
    ]);
  });

  test('leaves with the address that it names, or is reached without translation', async () => {
    await host.script('ip address add 10.96.0.77/24 dev out');
    await create('named', '10.95.2.0/24', 'com.docker.network.host_ipv4=10.96.0.77');
    await create('plain', '10.95.3.0/24', `${bridge}.enable_ip_masquerade=false`);
    const listen = `
import socket
s = socket.create_server(('10.96.0.2', 7000))
for _ in range(2):
    c, (address, _port) = s.accept(); c.sendall(address.encode()); c.close()
`;
    const listener = Bun.spawn([...all.neighbour.prefix, 'python3', '-c', listen]);
    const seen = (network: string): Promise<string> =>
      docker('run', '--rm', '--network', network, 'busybox', 'sh', '-c', 'until nc 10.96.0.2 7000; do :; done');
    expect(await seen('named')).toBe('10.96.0.77');
    expect(await seen('plain')).toStartWith('10.95.3.');
    await listener.exited;
  });

  test('lets outsiders to its containers’ own addresses as its gateway mode says', async () => {
    await create('nat', '10.95.4.0/24');
    await create('bare', '10.95.5.0/24', `${bridge}.gateway_mode_ipv4=nat-unprotected`);
    await create('routed', '10.95.6.0/24', `${bridge}.gateway_mode_ipv4=routed`);
    for (const network of ['nat', 'bare', 'routed'])
      await docker('run', '-d', '--name', network, '--network', network, '-p', '8300-8310:80', ...server);
    await docker('run', '-d', '--name', 'closed', '--network', 'routed', ...server);
    for (const address of ['10.95.4.2', '10.95.5.2', '10.95.6.2', '10.95.6.3'])
      await answerOf(host, `http://${address}/`);
    const outside = (address: string, asking = ask): Promise<string> => asking(all.neighbour, `http://${address}/`);
    expect(await outside('10.95.4.2', silence)).toBe('');
    expect(await outside('10.95.5.2')).not.toBe('');
    expect(await outside('10.95.6.2')).not.toBe('');
    expect(await outside('10.95.6.3', silence)).toBe('');
    expect(await docker('port', 'nat')).toStartWith('80/tcp -> 0.0.0.0:8300');
    await docker('rm', '-f', 'routed', 'bare');
    expect(
      await docker('network', 'create', '--internal', '-o', `${bridge}.gateway_mode_ipv4=isolated`, 'alone'),
    ).not.toBe('');
    await docker('run', '-d', '--name', 'aa0', '--network', 'alone', ...sleeper);
    const id = (await docker('network', 'inspect', 'alone', '--format', '{{.Id}}')).slice(0, 12);
    expect(await host.ok('ip', '-br', '-4', 'address', 'show', `br-${id}`)).toBe('');
  });

  test('refuses nonsense in dockerd’s words', async () => {
    for (const [option, words] of [
      ['enable_icc=maybe', `failed to parse ${bridge}.enable_icc value: maybe (strconv.ParseBool: parsing "maybe"`],
      ['host_binding_ipv4=x', `failed to parse ${bridge}.host_binding_ipv4 value: x (nil ip)`],
      ['gateway_mode_ipv4=x', `failed to parse ${bridge}.gateway_mode_ipv4 value: x (unknown gateway mode x)`],
      ['gateway_mode_ipv4=isolated', "gateway mode 'isolated' can only be used for an internal network"],
    ] as const)
      expect(await refusal('network', 'create', '-o', `${bridge}.${option}`, 'x')).toContain(words);
    for (const [words, ...flags] of [
      ['failed to allocate gateway (10.95.7.0): Address already in use', '--gateway', '10.95.7.0'],
      [
        'failed to allocate secondary ip address (a:10.95.7.5): Address already in use',
        ...['--gateway', '10.95.7.5', '--aux-address', 'a=10.95.7.5'],
      ],
      ["bridge driver doesn't support multiple subnets", '--subnet', '10.95.8.0/24'],
      ['plugin "nosuch" not found', '--ipam-driver', 'nosuch'],
    ] as const)
      expect(await refusal('network', 'create', '--subnet', '10.95.7.0/24', ...flags, 'x')).toContain(words);
    expect(await docker('network', 'ls', '-q', '--filter', 'name=^x$')).toBe('');
  });

  test('runs out of addresses in dockerd’s words, and takes freed ones again', async () => {
    await create('tiny', '10.95.9.0/30');
    await docker('run', '-d', '--name', 'only', '--network', 'tiny', ...sleeper);
    const words = "no available IPv4 addresses on this network's address pools: tiny (";
    expect(await refusal('run', '--rm', '--network', 'tiny', 'busybox', 'true')).toContain(words);
    await docker('rm', '-f', 'only');
    await docker('run', '--rm', '--network', 'tiny', 'busybox', 'true');
  });
});

describe('a container on several networks', () => {
  test('has its default route by priority, then by name, as networks come and go', async () => {
    await create('aa', '10.95.11.0/24');
    await create('bb', '10.95.12.0/24');
    await create('cc', '10.95.13.0/24');
    await docker('run', '-d', '--name', 'cc0', '--network', 'bb', '-p', '8320:80', ...server);
    await answerOf(host, 'http://127.0.0.1:8320/');
    await docker('network', 'connect', 'cc', 'cc0');
    expect(await defaultRoute('cc0')).toContain('via 10.95.12.1 ');
    await docker('network', 'connect', 'aa', 'cc0');
    expect(await defaultRoute('cc0')).toContain('via 10.95.11.1 ');
    expect(await answerOf(all.neighbour, 'http://10.96.0.1:8320/')).not.toBe('');
    await docker('network', 'disconnect', 'aa', 'cc0');
    expect(await defaultRoute('cc0')).toContain('via 10.95.12.1 ');
    await docker('network', 'disconnect', 'bb', 'cc0');
    expect(await defaultRoute('cc0')).toContain('via 10.95.13.1 ');
    expect(await answerOf(all.neighbour, 'http://10.96.0.1:8320/')).not.toBe('');
    await engine.ok('network', 'connect', '--gw-priority', '7', 'bb', 'cc0');
    expect(await defaultRoute('cc0')).toContain('via 10.95.12.1 ');
    await docker('restart', '-t', '0', 'cc0');
    expect(await defaultRoute('cc0')).toContain('via 10.95.12.1 dev eth0');
    expect((await engine.inspect('cc0')).NetworkSettings.Networks['bb'].GwPriority).toBe(7);
  });

  test('has what was asked for on each: name, parameters and further addresses of the interface, MAC address', async () => {
    await create('one', '10.95.14.0/24');
    await create('two', '10.95.15.0/24');
    const endpoint = 'com.docker.network.endpoint';
    const options = `driver-opt=${endpoint}.ifname=wan,driver-opt=${endpoint}.sysctls=net.ipv4.conf.IFNAME.log_martians=1`;
    const wishes = `name=one,ip=10.95.14.9,mac-address=02:42:00:00:00:99,link-local-ip=169.254.7.7,${options}`;
    await engine.ok('run', '-d', '--name', 'cc0', '--network', wishes, '--network', 'two', ...sleeper);
    const shown = await inNetwork('cc0', 'ip', 'address', 'show', 'wan');
    for (const text of ['10.95.14.9/24', '169.254.7.7/16', '02:42:00:00:00:99']) expect(shown).toContain(text);
    // Parameters are those of the network namespace that reads them.
    expect(await docker('exec', 'cc0', 'cat', '/proc/sys/net/ipv4/conf/wan/log_martians')).toBe('1');
    expect(await inNetwork('cc0', 'ip', '-br', 'address', 'show', 'eth0')).toContain('10.95.15.2/24');
    await docker('network', 'disconnect', 'two', 'cc0');
    const more = [
      '--driver-opt',
      `${endpoint}.ifname=lan`,
      '--driver-opt',
      `${endpoint}.sysctls=net.ipv4.conf.IFNAME.log_martians=1`,
    ];
    await docker('network', 'connect', ...more, 'two', 'cc0');
    expect(await docker('exec', 'cc0', 'cat', '/proc/sys/net/ipv4/conf/lan/log_martians')).toBe('1');
    const evil = ['--driver-opt', `${endpoint}.sysctls=net.core.somaxconn=1`];
    expect(await refusal('network', 'connect', ...evil, 'bridge', 'cc0')).toContain('not a sysctl of the interface');
    expect(Object.keys((await engine.inspect('cc0')).NetworkSettings.Networks).sort()).toEqual(['one', 'two']);
  });
});

describe('a link on the default bridge', () => {
  test('brings names and variables, and follows the other container', async () => {
    await docker('run', '-d', '--name', 'db', '-h', 'dbhost', '-e', 'FOO=bar', '--expose', '5432', ...sleeper);
    const address = (await engine.inspect('db')).NetworkSettings.Networks['bridge'].IPAddress;
    await docker('run', '-d', '--name', 'web', '--link', 'db:my-db', ...sleeper);
    const hosts = (): Promise<string> => docker('exec', 'web', 'cat', '/etc/hosts');
    expect(await hosts()).toContain(`${address}\tmy-db dbhost db\n`);
    const variables = await docker('exec', 'web', 'env');
    for (const line of [`MY_DB_PORT=tcp://${address}:5432`, 'MY_DB_NAME=/web/my-db', 'MY_DB_ENV_FOO=bar'])
      expect(variables).toContain(line);
    expect((await engine.inspect('web')).HostConfig.Links).toEqual(['/db:/web/my-db']);
    const listed = (await (await engine.request('GET', '/containers/json')).json()) as { Names: string[] }[];
    expect(listed.map(({ Names }) => Names)).toContainEqual(['/db', '/web/my-db']);
    await docker('restart', '-t', '0', 'db');
    const next = (await engine.inspect('db')).NetworkSettings.Networks['bridge'].IPAddress;
    expect(next).not.toBe(address);
    expect(await hosts()).toContain(`${next}\tmy-db dbhost db\n`);
    await docker('stop', '-t', '0', 'db');
    expect(await refusal('restart', '-t', '0', 'web')).toContain(
      'Cannot link to a non running container: /db AS /web/my-db',
    );
    await docker('rm', '--link', 'web/my-db');
    expect((await engine.inspect('web')).HostConfig.Links).toBeNull();
    await docker('start', 'web');
    expect(await hosts()).not.toContain('my-db');
    expect(await refusal('run', '--rm', '--link', 'nosuch:x', 'busybox', 'true')).toContain(
      'could not get container for nosuch: No such container: nosuch',
    );
  });
});

describe('the daemon’s flags', () => {
  test('shape the default bridge and new networks', async () => {
    const flags = ['--icc=false', '--ip', '127.0.0.1', '--host-gateway-ip', '10.1.1.1', '--allow-direct-routing'];
    flags.push('--default-network-opt', 'bridge=com.docker.network.driver.mtu=1380', '--ip-masq=false');
    const other = await startBesideNeighbour({ flags });
    try {
      const run = (...args: string[]): Promise<string> => dockerOf(other.engine, args);
      await run('run', '-d', '--name', 'aa0', '-p', '8330:80', '--add-host', 'gw:host-gateway', ...server);
      await run('run', '-d', '--name', 'bb0', ...sleeper);
      const { NetworkSettings, State } = await other.engine.inspect('aa0');
      const address = NetworkSettings.Networks['bridge'].IPAddress;
      expect(await run('port', 'aa0')).toBe('80/tcp -> 127.0.0.1:8330');
      expect(await run('exec', 'aa0', 'cat', '/etc/hosts')).toContain('10.1.1.1\tgw\n');
      await answerOf(other.host, `http://${address}/`);
      // Published ports of other containers may be reached, also where containers may not talk: by the host's address only.
      const { Pid } = (await other.engine.inspect('bb0')).State;
      expect(State.Pid).toBeGreaterThan(0);
      expect(await silence(inNetworkOf(Pid), `http://${address}/`)).toBe('');
      expect(await ask(other.neighbour, `http://${address}/`)).not.toBe('');
      await run('network', 'create', 'small');
      const mtu = ['run', '--rm', '--network', 'small', 'busybox', 'cat', '/sys/class/net/eth0/mtu'];
      expect(await run(...mtu)).toBe('1380');
      await run('network', 'rm', 'small');
    } finally {
      await other.stop();
    }
  });

  test('leave the packet filter alone where told to, and ports are forwarded all the same', async () => {
    const other = await startBesideNeighbour({ flags: ['--iptables=false'] });
    try {
      await dockerOf(other.engine, ['run', '-d', '--name', 'aa0', '-p', '8340:80', ...server]);
      expect(await answerOf(other.neighbour, 'http://10.96.0.1:8340/')).not.toBe('');
      expect(await answerOf(other.host, 'http://127.0.0.1:8340/')).not.toBe('');
      expect((await other.host.ok('nft', 'list', 'ruleset')).trim()).toBe('');
    } finally {
      await other.stop();
    }
  });
});
