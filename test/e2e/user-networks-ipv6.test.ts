/** IPv6 in networks: addresses and names, who reaches whom, published ports, what a kill leaves, the daemon's keys. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import { answerOf, ask, inNetworkOf, type Place, silence } from '../support/machine.ts';
import { type NeighbouredEngine, startBesideNeighbour } from '../support/neighbour.ts';
import { repository } from '../support/repository.ts';

let all: NeighbouredEngine;
let { engine, host, neighbour } = {} as NeighbouredEngine;
beforeAll(async () => {
  all = await startBesideNeighbour();
  ({ engine, host, neighbour } = all);
});
afterEach(async () => {
  await engine.removeContainers();
  await berth('network', 'prune', '-f');
});
afterAll(() => all.stop());

/** Debian's docker knows no `--ipv4`. */
function berth(...args: string[]): Promise<string> {
  return engine.ok(...args);
}

async function refusal(...args: string[]): Promise<string> {
  const result = await engine.berth(...args);
  expect(result.code).not.toBe(0);
  return result.stderr;
}

/** A web server of both families that says the container's host name. */
const server = ['busybox', 'sh', '-c', 'mkdir /w; hostname >/w/index.html; exec httpd -f -p [::]:80 -h /w'];
const sleeper = ['busybox', 'sleep', '1000'];

async function serve(name: string, ...flags: string[]): Promise<void> {
  await berth('run', '-d', '--name', name, '-h', name, ...flags, ...server);
}

async function inNetwork(container: string, ...command: string[]): Promise<string> {
  const { Pid } = (await engine.inspect(container)).State;
  return (await host.ok(...inNetworkOf(Pid).prefix, ...command)).trim();
}

async function reach(from: string, address: string, asking = ask): Promise<string> {
  const { Pid } = (await engine.inspect(from)).State;
  return await asking(inNetworkOf(Pid), `http://${address}/`);
}

interface Settings {
  IPAddress: string;
  GlobalIPv6Address: string;
  GlobalIPv6PrefixLen: number;
  IPv6Gateway: string;
  IPAMConfig: unknown;
}

async function place(container: string, network: string): Promise<Settings> {
  return (await engine.inspect(container)).NetworkSettings.Networks[network];
}

/** Default routes of IPv6, `via fd01::1 dev eth0`. */
async function routes(container: string): Promise<string> {
  return (await inNetwork(container, 'ip', '-6', 'route', 'show', 'default')).replace(/default (.*?) metric .*/g, '$1');
}

/** Elements of a set or map of the engine's table; empty: none. */
async function elements(name: string): Promise<string> {
  const tables = await host.ok('nft', 'list', 'tables');
  const table = /inet (berth\S*)/.exec(tables)?.[1] ?? '';
  const kind = /^(everywhere|addressed|sources)/.test(name) ? 'map' : 'set';
  return /elements = \{([^}]*)\}/.exec(await host.ok('nft', 'list', kind, 'inet', table, name))?.[1]?.trim() ?? '';
}

/** What the container's own client finds: `A 10.0.0.2`, `AAAA fd00::2`. */
async function lookUp(container: string, name: string): Promise<string[]> {
  const { stdout } = await engine.berth('exec', container, 'nslookup', name);
  const found = [...stdout.matchAll(/^Address: (\S+)$/gm)].map(([, address]) => address ?? '');
  return found.map((address) => `${address.includes(':') ? 'AAAA' : 'A'} ${address}`).sort();
}

describe('a network with IPv6', () => {
  test('gives addresses that count at once, routes and names of both families', async () => {
    await berth('network', 'create', '--ipv6', 'both');
    const [v4, v6] = JSON.parse(await berth('network', 'inspect', 'both', '-f', '{{json .IPAM.Config}}'));
    expect(v4.Subnet).toContain('.');
    expect(v6.Subnet).toMatch(/^fd.*::\/64$/);
    await serve('web', '--network', 'both');
    await berth('run', '-d', '--name', 'client', '--network', 'both', ...sleeper);
    const { GlobalIPv6Address: address, GlobalIPv6PrefixLen, IPv6Gateway } = await place('web', 'both');
    expect([address, GlobalIPv6PrefixLen, IPv6Gateway]).toEqual([v6.Gateway.replace(/1$/, '2'), 64, v6.Gateway]);
    expect(await routes('web')).toBe(`via ${v6.Gateway} dev eth0`);
    expect(await inNetwork('web', 'ip', '-6', 'address', 'show', 'eth0', 'scope', 'global', 'tentative')).toBe('');
    expect(await berth('exec', 'web', 'cat', '/etc/hosts')).toContain(`${address}\tweb`);
    expect(await answerOf(host, `http://[${address}]/`)).toBe('web\n');
    expect(await reach('client', `[${address}]`)).toBe('web\n');
    expect(await lookUp('client', 'web')).toEqual([`A ${(await place('web', 'both')).IPAddress}`, `AAAA ${address}`]);
    expect(await berth('exec', 'client', 'nslookup', address)).toContain('name = web.both');
  });

  test('of IPv6 alone has nothing of IPv4; one of IPv4 alone nothing of IPv6', async () => {
    await berth('network', 'create', '--ipv6', '--ipv4=false', 'six');
    await berth('network', 'create', 'four');
    await serve('web6', '--network', 'six');
    await serve('web4', '--network', 'four');
    const six = await place('web6', 'six');
    expect([six.IPAddress, await inNetwork('web6', 'ip', '-4', '-o', 'address', 'show', 'eth0')]).toEqual(['', '']);
    expect(await answerOf(host, `http://[${six.GlobalIPv6Address}]/`)).toBe('web6\n');
    expect(await lookUp('web6', 'web6')).toEqual([`AAAA ${six.GlobalIPv6Address}`]);
    expect(await lookUp('web4', 'web4')).toEqual([`A ${(await place('web4', 'four')).IPAddress}`]);
    const switched = '/proc/sys/net/ipv6/conf/eth0/disable_ipv6';
    expect(await berth('exec', 'web4', 'cat', switched)).toBe('1');
    expect(await berth('exec', 'web6', 'cat', switched)).toBe('0');
    expect((await place('web4', 'four')).GlobalIPv6Address).toBe('');
    expect(await berth('network', 'ls', '--format', '{{.Name}} {{.IPv6}}')).toMatch(/four false[\s\S]*six true/);
  });

  test('asks name servers at IPv6, those of its own from inside', async () => {
    await berth('network', 'create', '--ipv6', '--ipv4=false', 'six');
    const nameServer = join(repository, 'test/support/name-server.ts');
    const child = Bun.spawn([...neighbour.prefix, process.execPath, nameServer, 'fd96::2'], { stdout: 'pipe' });
    try {
      const reader = child.stdout.getReader();
      expect(new TextDecoder().decode((await reader.read()).value)).toContain('ready');
      await berth('run', '-d', '--name', 'client', '--network', 'six', '--dns', 'fd96::2', ...sleeper);
      expect(await lookUp('client', 'somewhere.example')).toEqual(['A 192.0.2.7']);
    } finally {
      child.kill();
    }
  });

  test('has the addresses that were asked for, or says in Docker’s words why not', async () => {
    const subnet = ['--subnet', 'fd98:1::/64'];
    const more = ['--gateway', 'fd98:1::99', '--ip-range', 'fd98:1::1:0/112', '--aux-address', 'a=fd98:1::5'];
    await berth('network', 'create', '--ipv6', ...subnet, ...more, 'asked');
    await berth('network', 'create', '--ipv6', 'picked');
    await berth('run', '-d', '--name', 'fixed', '--network', 'asked', '--ip6', 'fd98:1::0:77', ...sleeper);
    await berth('run', '-d', '--name', 'ranged', '--network', 'asked', ...sleeper);
    expect(await place('fixed', 'asked')).toMatchObject({
      ...{ GlobalIPv6Address: 'fd98:1::77', IPv6Gateway: 'fd98:1::99' },
      IPAMConfig: { IPv6Address: 'fd98:1::0:77' },
    });
    expect((await place('ranged', 'asked')).GlobalIPv6Address).toBe('fd98:1::1:0');
    const start = (network: string, address: string): Promise<string> =>
      refusal('run', '--rm', '--network', network, '--ip6', address, 'busybox', 'true');
    for (const taken of ['fd98:1::77', 'fd98:1::99', 'fd98:1::5'])
      expect(await start('asked', taken)).toContain('failed to set up container networking: Address already in use');
    expect(await start('asked', 'fd98:2::1')).toContain('contain the IP address fd98:2::1');
    expect(await start('picked', 'fd98:2::1')).toContain('networks with user configured subnets');
    const create = (...flags: string[]): Promise<string> => refusal('network', 'create', '--ipv6', ...flags, 'no');
    expect(await create('--subnet', 'fd98:3::1/64')).toContain('invalid subnet fd98:3::1/64: it should be fd98:3::/64');
    expect(await create(...subnet)).toContain('Pool overlaps with other one on this address space');
    expect(await refusal('network', 'create', '--ipv4=false', 'no')).toContain('IPv4 or IPv6 must be enabled');
    expect(await berth('network', 'ls', '-q', '-f', 'name=^no$')).toBe('');
  });

  test('comes and goes while a container runs, and the routes with it', async () => {
    await berth('network', 'create', 'four');
    await berth('network', 'create', '--ipv6', '--ipv4=false', '--subnet', 'fd98:6::/64', 'six');
    await berth('network', 'create', '--ipv6', '--subnet', 'fd98:7::/64', 'both');
    await serve('web', '--network', 'four', '-p', '8311:80');
    expect(await routes('web')).toBe('');
    expect(await answerOf(neighbour, 'http://[fd96::1]:8311/')).toBe('web\n');
    await berth('network', 'connect', '--ip6', 'fd98:6::66', 'six', 'web');
    expect(await routes('web')).toBe('via fd98:6::1 dev eth1');
    expect(await elements('everywhere6')).toBe('tcp . 8311 : fd98:6::66 . 80');
    expect(await answerOf(neighbour, 'http://[fd96::1]:8311/')).toBe('web\n');
    await berth('network', 'connect', 'both', 'web');
    expect(await routes('web')).toBe('via fd98:7::1 dev eth2');
    expect(await elements('everywhere6')).toBe('tcp . 8311 : fd98:7::2 . 80');
    expect(await berth('exec', 'web', 'cat', '/etc/hosts')).toContain('fd98:7::2\tweb');
    await berth('network', 'disconnect', 'both', 'web');
    expect(await routes('web')).toBe('via fd98:6::1 dev eth1');
    expect(await answerOf(neighbour, 'http://[fd96::1]:8311/')).toBe('web\n');
    expect(await answerOf(neighbour, 'http://10.96.0.1:8311/')).toBe('web\n');
    await berth('network', 'disconnect', 'six', 'web');
    expect(await elements('everywhere6')).toBe('');
    expect(await berth('exec', 'web', 'cat', '/etc/hosts')).not.toContain('fd98:');
  });

  test('lives through a kill of the engine, and leaves nothing when it goes', async () => {
    await berth('network', 'create', '--ipv6', '--subnet', 'fd98:8::/64', 'kept');
    await serve('web', '--network', 'kept', '-p', '8312:80');
    await berth('run', '-d', '--name', 'client', '--network', 'kept', ...sleeper);
    const { Pid } = (await engine.inspect('client')).State;
    await engine.kill9();
    expect(await answerOf(neighbour, 'http://[fd96::1]:8312/')).toBe('web\n');
    const inside = ['nsenter', '--target', String(Pid), '--all', 'nslookup', '-type=aaaa', 'web'];
    expect(await host.ok(...inside)).toContain('fd98:8::2');
    await engine.start();
    expect(await answerOf(neighbour, 'http://[fd96::1]:8312/')).toBe('web\n');
    await berth('run', '-d', '--name', 'next', '--network', 'kept', ...sleeper);
    expect((await place('next', 'kept')).GlobalIPv6Address).toBe('fd98:8::4');
    expect(await refusal('network', 'rm', 'kept')).toContain('has active endpoints');
    await berth('rm', '-f', 'web', 'client', 'next');
    await berth('network', 'rm', 'kept');
    for (const name of ['everywhere6', 'inside6', 'masqueraded6']) expect(await elements(name)).toBe('');
    expect(await host.ok('ip', '-6', 'route')).not.toContain('fd98:');
  });
});

describe('a published port', () => {
  test('leads to the container’s IPv6 with the client’s address kept, from everywhere', async () => {
    await berth('network', 'create', '--ipv6', 'both');
    const script = 'mkdir /w; echo web >/w/index.html; exec httpd -f -vv -p [::]:80 -h /w';
    const ports = ['-p', '8320:80', '-p', '[::1]:8323:80', '-p', '[fd96::1]:8324:80'];
    await berth('run', '-d', '--name', 'web', '--network', 'both', ...ports, 'busybox', 'sh', '-c', script);
    await berth('run', '-d', '--name', 'client', '--network', 'both', ...sleeper);
    for (const address of ['[::1]', '127.0.0.1', '[fd96::1]', '10.96.0.1'])
      expect(await answerOf(host, `http://${address}:8320/`)).toBe('web\n');
    expect(await answerOf(neighbour, 'http://[fd96::1]:8320/')).toBe('web\n');
    expect((await engine.berth('logs', 'web')).stderr).toContain('[fd96::2]:');
    expect(await answerOf(host, 'http://[::1]:8323/')).toBe('web\n');
    expect(await silence(neighbour, 'http://[fd96::1]:8323/')).toBe('');
    expect(await answerOf(neighbour, 'http://[fd96::1]:8324/')).toBe('web\n');
    expect(await silence(host, 'http://[::1]:8324/')).toBe('');
    expect(await reach('client', '[fd96::1]:8320')).toBe('web\n');
    expect(await berth('port', 'web', '80')).toContain('[::]:8320');
    await berth('rm', '-f', 'web');
    for (const map of ['everywhere6', 'addressed6', 'direct6']) expect(await elements(map)).toBe('');
    expect(await silence(neighbour, 'http://[fd96::1]:8320/')).toBe('');
  });

  test('of UDP answers also a client that asked before it was there, from the same port', async () => {
    await berth('network', 'create', '--ipv6', 'both');
    const client = program(neighbour, insisting, 'fd96::1', '8325');
    expect(await client.line()).toBe('asked');
    await berth('run', '-d', '--name', 'echo', '--network', 'both', '-p', '8325:53/udp', ...sleeper);
    const { Pid } = (await engine.inspect('echo')).State;
    const echo = program({ prefix: [...host.prefix, ...inNetworkOf(Pid).prefix] }, echoing);
    try {
      expect(await client.line()).toBe('fd96::2');
    } finally {
      echo.end();
      client.end();
    }
  });

  test('of a container without IPv6 is served at IPv6 all the same; one without IPv4 has none there', async () => {
    await berth('network', 'create', 'four');
    await berth('network', 'create', '--ipv6', '--ipv4=false', 'six');
    await serve('web4', '--network', 'four', '-p', '8330:80');
    await serve('web6', '--network', 'six', '-p', '8331:80', '-p', '127.0.0.1:8332:80');
    expect(await answerOf(neighbour, 'http://[fd96::1]:8330/')).toBe('web4\n');
    expect(await answerOf(neighbour, 'http://[fd96::1]:8331/')).toBe('web6\n');
    expect(await silence(host, 'http://127.0.0.1:8331/')).toBe('');
    expect(await silence(host, 'http://127.0.0.1:8332/')).toBe('');
    expect(await berth('port', 'web6')).toBe('80/tcp -> [::]:8331');
  });
});

/** A Python program that runs beside the test, and what it says line by line. */
function program(where: Place, ...words: string[]): { line(): Promise<string>; end(): void } {
  const child = Bun.spawn([...where.prefix, 'python3', '-uc', ...words], { stdout: 'pipe', stderr: 'ignore' });
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  return {
    async line() {
      while (!text.includes('\n')) {
        const { done, value } = await reader.read();
        if (done) throw new Error(`it ended, and said ${JSON.stringify(text)}`);
        text += value;
      }
      const [first = '', ...rest] = text.split('\n');
      text = rest.join('\n');
      return first;
    },
    end: () => child.kill(),
  };
}

/** Asks from one port until there is an answer, and prints that. */
const insisting = `
import socket, sys
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
s.settimeout(0.2)
asked = False
while True:
    try:
        s.sendto(b'hello', (sys.argv[1], int(sys.argv[2])))
        if not asked:
            print('asked')
        asked = True
        print(s.recv(99).decode())
        break
    except OSError:
        pass
`;

/** Tells everybody who sends a datagram the address that it came from. */
const echoing = `
import socket
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
s.bind(('::', 53))
while True:
    _, client = s.recvfrom(9999)
    s.sendto(client[0].encode(), client)
`;

/** Sends a line and prints what comes back. */
const asker = `
import socket, sys
s = socket.create_connection((sys.argv[1], int(sys.argv[2])), 10)
s.send(b'x\\n')
print(s.makefile().read())
`;

describe('who reaches whom', () => {
  test('networks are closed to each other and to neighbours; what leaves has the host’s address', async () => {
    for (const name of ['one', 'two']) await berth('network', 'create', '--ipv6', name);
    await berth('network', 'create', '--ipv6', '--internal', 'shut');
    await serve('web', '--network', 'one');
    await berth('run', '-d', '--name', 'same', '--network', 'one', ...sleeper);
    await berth('run', '-d', '--name', 'other', '--network', 'two', ...sleeper);
    await berth('run', '-d', '--name', 'inner', '--network', 'shut', ...sleeper);
    const address = `[${(await place('web', 'one')).GlobalIPv6Address}]`;
    expect(await answerOf(host, `http://${address}/`)).toBe('web\n');
    expect(await reach('same', address)).toBe('web\n');
    expect(await reach('other', address, silence)).toBe('');
    expect(await reach('inner', address, silence)).toBe('');
    expect(await silence(neighbour, `http://${address}/`)).toBe('');
    expect(await routes('inner')).toBe('');
    const listener = program(neighbour, listening);
    expect(await listener.line()).toBe('ready');
    await inNetwork('same', 'python3', '-c', asker, 'fd96::2', '8390');
    expect(await listener.line()).toBe('fd96::1');
  });

  test('a routed network keeps its addresses and is open where ports are published; an isolated one has no way to the host', async () => {
    const mode = 'com.docker.network.bridge.gateway_mode_ipv6';
    await berth('network', 'create', '--ipv6', '-o', `${mode}=routed`, 'routed');
    await berth('network', 'create', '--ipv6', '--ipv4=false', '--internal', '-o', `${mode}=isolated`, 'isolated');
    await serve('web', '--network', 'routed', '-p', '8340:80');
    const address = `[${(await place('web', 'routed')).GlobalIPv6Address}]`;
    expect(await answerOf(neighbour, `http://${address}/`)).toBe('web\n');
    expect(await answerOf(neighbour, 'http://10.96.0.1:8340/')).toBe('web\n');
    expect(await silence(neighbour, 'http://[fd96::1]:8340/')).toBe('');
    expect((await engine.inspect('web')).NetworkSettings.Ports['80/tcp']).toContainEqual({
      HostIp: '::',
      HostPort: '',
    });
    await berth('run', '-d', '--name', 'alone', '--network', 'isolated', ...sleeper);
    const id = await berth('network', 'inspect', 'isolated', '-f', '{{slice .Id 0 12}}');
    expect(await host.ok('ip', '-6', 'address', 'show', `br-${id}`)).toBe('');
    expect(await refusal('network', 'create', '--ipv6', '-o', `${mode}=isolated`, 'no')).toContain('internal network');
  });
});

/** Prints who connects. */
const listening = `
import socket
s = socket.create_server(('::', 8390), family=socket.AF_INET6)
print('ready')
connection, (address, *_) = s.accept()
connection.recv(9)
print(address)
`;

const optIn = { 'com.docker.network.enable_ipv6': 'true' };

describe('the daemon’s keys', () => {
  test('give the default bridge IPv6, from its own prefix or the one that is said', async () => {
    const config = { ipv6: true, 'fixed-cidr-v6': 'fd98:a::/64', 'default-network-opts': { bridge: optIn } };
    const other = await startBesideNeighbour({ config });
    try {
      const run = (...args: string[]): Promise<string> => other.engine.ok(...args);
      await run('run', '-d', '--name', 'web', '-p', '8350:80', '--add-host', 'gate:host-gateway', ...server);
      expect((await other.engine.inspect('web')).NetworkSettings.Networks.bridge.GlobalIPv6Address).toBe('fd98:a::2');
      expect(await answerOf(other.neighbour, 'http://[fd96::1]:8350/')).not.toBe('');
      expect(await run('exec', 'web', 'cat', '/etc/hosts')).toContain('fd98:a::1\tgate\n');
      await run('network', 'create', 'said');
      expect(await run('network', 'inspect', 'said', '-f', '{{.EnableIPv6}}')).toBe('true');
      await run('network', 'rm', 'said');
      expect(await other.host.ok('cat', '/proc/sys/net/ipv6/conf/all/forwarding')).toBe('1\n');
    } finally {
      await other.stop();
    }
  });

  test('leave the filter of IPv6 alone where told to, and ports are forwarded all the same', async () => {
    const other = await startBesideNeighbour({
      flags: ['--ip6tables=false', '--ipv6', '--bip6', 'fd98:b::1/64', '--fixed-cidr-v6', 'fd98:b::100/120'],
    });
    try {
      const run = (...args: string[]): Promise<string> => other.engine.ok(...args);
      await run('run', '-d', '--name', 'web', '-p', '8351:80', ...server);
      expect((await other.engine.inspect('web')).NetworkSettings.Networks.bridge.GlobalIPv6Address).toBe('fd98:b::100');
      expect(await answerOf(other.neighbour, 'http://[fd96::1]:8351/')).not.toBe('');
      expect(await answerOf(other.neighbour, 'http://[fd98:b::100]/')).not.toBe('');
      expect(await other.host.ok('nft', 'list', 'ruleset')).not.toContain('fd98:');
    } finally {
      await other.stop();
    }
  });
});
