/** The default bridge and published ports, on a machine of the test's own that has a neighbour on its wire. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../support/command.ts';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { answerOf, ask, askUdp, inNetworkOf, Machine, silence } from '../support/machine.ts';
import { until } from '../support/until.ts';

let host: Machine;
let neighbour: Machine;
let engine: TestEngine;
let gateway: string;
const hostAddress = '10.99.0.1';

beforeAll(async () => {
  [host, neighbour] = await Promise.all([Machine.start(), Machine.start()]);
  await host.connect('wire', `${hostAddress}/24`, { machine: neighbour, name: 'wire', address: '10.99.0.2/24' });
  await neighbour.script(`ip route add default via ${hostAddress}`);
  // No router yet: the engine has to see to that.
  await host.script('sysctl -qw net.ipv4.ip_forward=0');
  engine = await startEngine({ images: ['busybox'], machine: host });
  gateway = engine.identity.bip.split('/')[0] as string;
});
afterAll(async () => {
  await engine.cleanUp();
  await Promise.all([host.stop(), neighbour.stop()]);
});

/** Docker's client; anything but exit code 0 throws. */
async function docker(...args: string[]): Promise<string> {
  const result = await engine.docker(...args);
  if (result.code !== 0) throw new Error(`docker ${args.join(' ')}: exit code ${result.code}\n${result.stderr}`);
  return result.stdout.replace(/\n$/, '');
}

/** A web server that says its name. */
async function serve(name: string, ...flags: string[]): Promise<string> {
  const script = `mkdir -p /w/cgi-bin; echo ${name} >/w/index.html; echo '${tellWho}' >/w/cgi-bin/who; chmod 755 /w/cgi-bin/who; exec httpd -f -p 80 -h /w`;
  return await docker('run', '-d', '--name', name, ...flags, 'busybox', 'sh', '-c', script);
}

/** A program for a web server that tells a client its own address. */
const tellWho =
  '#!/bin/sh\necho "Content-Type: text/plain"; echo; echo $REMOTE_ADDR | sed "s/.*:://; s/ffff://; s/[]]//"';

/** Asks with the host's curl from the network of a container. */
async function fromContainer(container: string, url: string, asking = ask): Promise<string> {
  const { Pid } = (await engine.inspect(container)).State;
  return await asking(inNetworkOf(Pid), url);
}

async function addressOf(container: string): Promise<string> {
  return (await engine.inspect(container)).NetworkSettings.Networks.bridge.IPAddress;
}

describe('a published port', () => {
  beforeAll(async () => {
    await docker('run', '-d', '--name', 'other', 'busybox', 'sleep', '1000');
    await serve('everywhere', '-p', '8080:80');
    await serve('loopback', '-p', '127.0.0.1:8081:80');
    await answerOf(host, 'http://127.0.0.1:8080/');
    await answerOf(host, 'http://127.0.0.1:8081/');
  });
  afterAll(() => engine.removeContainers());

  test.each(['127.0.0.1', '127.8.9.10', '[::1]', hostAddress])('answers its host at %s', async (address) => {
    expect(await ask(host, `http://${address}:8080/`)).toBe('everywhere\n');
  });

  test('answers its host at the bridge', async () => {
    expect(await ask(host, `http://${gateway}:8080/`)).toBe('everywhere\n');
  });

  test('answers another machine, which the container sees as it is', async () => {
    expect(await ask(neighbour, `http://${hostAddress}:8080/`)).toBe('everywhere\n');
    expect(await ask(neighbour, `http://${hostAddress}:8080/cgi-bin/who`)).toBe('10.99.0.2\n');
  });

  test('answers other containers at the bridge and at an address of the host', async () => {
    expect(await fromContainer('other', `http://${gateway}:8080/`)).toBe('everywhere\n');
    expect(await fromContainer('other', `http://${hostAddress}:8080/`)).toBe('everywhere\n');
  });

  test('answers its own container', async () => {
    expect(await fromContainer('everywhere', `http://${gateway}:8080/`)).toBe('everywhere\n');
  });

  test('on 127.0.0.1 answers the host and nobody else', async () => {
    expect(await ask(host, 'http://127.0.0.1:8081/')).toBe('loopback\n');
    expect(await silence(neighbour, `http://${hostAddress}:8081/`)).toBe('');
    expect(await fromContainer('other', `http://${gateway}:8081/`, silence)).toBe('');
  });

  test('may be one of many in a row, at each kind of address', async () => {
    const script =
      'mkdir /w; echo row >/w/index.html; httpd -p 8400 -h /w; httpd -p 8404 -h /w; exec httpd -f -p 8409 -h /w';
    const ports = ['-p', '8400-8409:8400-8409', '-p', '127.0.0.1:8500-8509:8400-8409', '-p', '8410-8415:80'];
    await docker('run', '-d', '--name', 'row', ...ports, 'busybox', 'sh', '-c', script);
    await answerOf(host, 'http://127.0.0.1:8409/');
    for (const address of [`${hostAddress}:8400`, '127.0.0.1:8404', '[::1]:8409', '127.0.0.1:8504'])
      expect(await ask(host, `http://${address}/`)).toBe('row\n');
    for (const port of ['8399', '8410', '8401']) expect(await silence(host, `http://127.0.0.1:${port}/`)).toBe('');
    const shown = (await docker('port', 'row')).split('\n');
    expect(shown).toContain('80/tcp -> 0.0.0.0:8410');
    const map = await host.ok('nft', 'list', 'map', 'inet', engine.identity.table, 'everywhereRanges');
    expect(map).toContain('tcp . 8400-8409 : ');
    await docker('rm', '-f', 'row');
    expect(await host.ok('nft', 'list', 'map', 'inet', engine.identity.table, 'everywhereRanges')).not.toContain(
      'elements',
    );
  });

  test('is held: no other program gets it', async () => {
    const program = `
import socket
for family, address in ((socket.AF_INET, '0.0.0.0'), (socket.AF_INET, '127.0.0.1'), (socket.AF_INET6, '::')):
    for reuse in (0, 1):
        s = socket.socket(family)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, reuse)
        try:
            s.bind((address, 8080))
            s.listen()
            print('bound', address, reuse)
        except OSError as error:
            print(error.strerror)
`;
    const output = await host.ok('python3', '-c', program);
    expect(new Set(output.trim().split('\n'))).toEqual(new Set(['Address already in use']));
  });

  test('goes on while the engine is dead, and the next engine knows it', async () => {
    await engine.kill9();
    expect(await ask(neighbour, `http://${hostAddress}:8080/`)).toBe('everywhere\n');
    expect(await ask(host, 'http://[::1]:8080/')).toBe('everywhere\n');
    await engine.start();
    expect(await ask(neighbour, `http://${hostAddress}:8080/`)).toBe('everywhere\n');
    const refused = await engine.docker('run', '--rm', '-p', '8080:80', 'busybox', 'true');
    expect(refused.code).toBe(125);
    expect(refused.stderr).toContain('Bind for 0.0.0.0:8080 failed: port is already allocated');
  });

  test('comes back when another program flushes the packet filter', async () => {
    await host.script('nft flush ruleset');
    expect(await answerOf(neighbour, `http://${hostAddress}:8080/`)).toBe('everywhere\n');
  });
});

describe('UDP', () => {
  afterAll(() => engine.removeContainers());

  test('goes through published ports at IPv4 and IPv6 addresses', async () => {
    await docker('run', '-d', '--name', 'udp', '-p', '8053:53/udp', 'busybox', 'sleep', '1000');
    const { Pid } = (await engine.inspect('udp')).State;
    // No UDP server is in the image: the host's python, in the network of the container.
    const echo = `
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('0.0.0.0', 53))
while True:
    data, peer = s.recvfrom(65536)
    s.sendto(data, peer)
`;
    const server = Bun.spawn([...inNetworkOf(Pid).prefix, 'python3', '-c', echo]);
    const answer = (machine: Machine, address: string): Promise<string> =>
      until(`an answer from ${address}`, () => askUdp(machine, address, 8053, 'hello'));
    expect(await answer(host, '127.0.0.1')).toBe('hello');
    expect(await answer(host, '::1')).toBe('hello');
    expect(await answer(neighbour, hostAddress)).toBe('hello');
    server.kill();
    await server.exited;
  });
});

describe('a UDP client that never stops sending', () => {
  afterEach(() => engine.removeContainers());

  /** Runs an echo server in the container's network. */
  async function start(name: string): Promise<{ stop(): Promise<void> }> {
    await docker('run', '-d', '--name', name, '-p', '8054:54/udp', 'busybox', 'sleep', '1000');
    const { Pid } = (await engine.inspect(name)).State;
    const program = `
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('0.0.0.0', 54))
while True:
    data, peer = s.recvfrom(65536)
    s.sendto(b'${name}', peer)
`;
    const server = Bun.spawn([...inNetworkOf(Pid).prefix, 'python3', '-c', program]);
    return {
      async stop() {
        server.kill();
        await server.exited;
        await docker('rm', '-f', name);
      },
    };
  }

  test('reaches the container that comes, and the one after it', async () => {
    const program = `
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('10.99.0.2', 4444))
s.settimeout(0.02)
while True:
    try:
        s.sendto(b'hello', ('${hostAddress}', 8054))
        print(s.recv(100).decode(), flush=True)
    except OSError:
        print('nobody', flush=True)
    time.sleep(0.02)
`;
    const client = Bun.spawn([...neighbour.prefix, 'python3', '-c', program], { stdout: 'pipe' });
    const lines = client.stdout.pipeThrough(new TextDecoderStream()).getReader();
    const hears = async (text: string): Promise<void> => {
      for (let heard = ''; !heard.includes(text); ) {
        const { value, done } = await lines.read();
        if (done) throw new Error('the client ended');
        heard = value;
      }
    };
    try {
      await hears('nobody');
      const first = await start('first');
      await hears('first');
      await first.stop();
      await hears('nobody');
      const second = await start('second');
      await hears('second');
      await second.stop();
    } finally {
      client.kill();
      await client.exited;
    }
  });
});

describe('what must not work', () => {
  let address: string;
  beforeAll(async () => {
    await serve('server', '-p', '8082:80');
    address = await addressOf('server');
    await answerOf(host, 'http://127.0.0.1:8082/');
  });
  afterAll(() => engine.removeContainers());

  test('the host reaches the container, a machine that routes to it does not', async () => {
    expect(await ask(host, `http://${address}/`)).toBe('server\n');
    expect(await silence(neighbour, `http://${address}/`)).toBe('');
  });

  test('neither a container nor a neighbour gets into 127.0.0.0/8 of the host (CVE-2020-8558)', async () => {
    const listener = Bun.spawn([...host.prefix, 'busybox', 'httpd', '-f', '-p', '127.0.0.1:7777', '-h', '/etc'], {
      stdout: 'ignore',
    });
    try {
      const url = 'http://127.0.0.1:7777/hostname';
      await answerOf(host, url);
      await neighbour.script(
        `ip address del 127.0.0.1/8 dev lo; ip route add 127.0.0.1/32 via ${hostAddress}; sysctl -qw net.ipv4.conf.wire.route_localnet=1`,
      );
      expect(await silence(neighbour, url)).toBe('');
      expect(await silence(neighbour, 'http://127.0.0.1:8082/')).toBe('');
      const { Pid } = (await engine.inspect('server')).State;
      const inside = inNetworkOf(Pid);
      const attack = `ip address del 127.0.0.1/8 dev lo; ip route add 127.0.0.1/32 via ${gateway}; sysctl -qw net.ipv4.conf.eth0.route_localnet=1`;
      expect((await run([...inside.prefix, 'sh', '-ec', attack])).code).toBe(0);
      expect(await silence(inside, url)).toBe('');
      expect(await silence(inside, 'http://127.0.0.1:8082/')).toBe('');
    } finally {
      listener.kill();
      await listener.exited;
    }
  });
});

describe('a host whose forward chain drops', () => {
  afterEach(async () => {
    await engine.removeContainers();
    await host.script('iptables -P FORWARD ACCEPT; iptables -F; iptables -X');
  });

  test.each([
    ['policy drop', 'iptables -P FORWARD DROP'],
    ['dockerd', 'iptables -N DOCKER-USER; iptables -A FORWARD -j DOCKER-USER; iptables -P FORWARD DROP'],
    ['a closing reject', 'iptables -A FORWARD -j REJECT'],
  ])('lets containers through: %s, set while containers run', async (_name, script) => {
    await serve('server', '-p', '8083:80');
    await answerOf(host, 'http://127.0.0.1:8083/');
    await host.script(script);
    expect(await answerOf(neighbour, `http://${hostAddress}:8083/`)).toBe('server\n');
    expect(await host.ok('iptables', '-S', 'FORWARD')).toContain(`-i ${engine.identity.bridge}`);
  });
});

test('the older filter, found dropping at the start, lets containers through as well', async () => {
  await host.script('iptables-legacy -P FORWARD DROP');
  await engine.restart();
  await serve('server', '-p', '8084:80');
  expect(await answerOf(neighbour, `http://${hostAddress}:8084/`)).toBe('server\n');
  expect(await host.ok('iptables-legacy', '-S', 'FORWARD')).toContain(`-i ${engine.identity.bridge}`);
  await engine.removeContainers();
  await engine.stop();
  expect(await host.ok('iptables-legacy', '-S', 'FORWARD')).toBe('-P FORWARD DROP\n');
  expect(await host.ok('ip', '-br', 'link')).not.toContain(engine.identity.bridge);
  expect(await host.ok('nft', 'list', 'tables')).not.toContain(engine.identity.table);
  await host.script('iptables-legacy -P FORWARD ACCEPT');
  await engine.start();
});

test('a container reaches the world with the address of its host', async () => {
  const folder = mkdtempSync('/tmp/berth-networks-');
  mkdirSync(join(folder, 'cgi-bin'));
  writeFileSync(join(folder, 'cgi-bin/who'), tellWho, { mode: 0o755 });
  const server = Bun.spawn([...neighbour.prefix, 'busybox', 'httpd', '-f', '-p', '9000', '-h', folder]);
  try {
    await answerOf(neighbour, 'http://10.99.0.2:9000/cgi-bin/who');
    await docker('run', '-d', '--name', 'other', 'busybox', 'sleep', '1000');
    expect(await fromContainer('other', 'http://10.99.0.2:9000/cgi-bin/who')).toBe(`${hostAddress}\n`);
  } finally {
    server.kill();
    await server.exited;
    rmSync(folder, { recursive: true });
  }
});
