/** The everyday lines about networks, typed into a shell, by both clients. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RunningCommand } from '../../support/command.ts';
import { startEngine, type TestEngine } from '../../support/engine.ts';
import { busyboxLayer, dockerArchive } from '../../support/images.ts';
import { ask, askUdp, inNetworkOf } from '../../support/machine.ts';
import { ownFolder } from '../../support/own-folder.ts';
import { until } from '../../support/until.ts';
import { clients, UserShell } from '../../support/user-shell.ts';

const udpEcho = `
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('', 5000))
print('ready', flush=True)
while True:
    s.sendto(*s.recvfrom(100))
`;
let engine: TestEngine;
const folder = ownFolder();
const serve = `sh -c 'mkdir /w; hostname >/w/index.html; exec httpd -f -p 5000 -h /w'`;

beforeAll(async () => {
  engine = await startEngine({ images: ['busybox'] });
  const archive = join(folder, 'webapp.tar');
  const config = { Cmd: ['httpd', '-f', '-p', '5000'], ExposedPorts: { '5000/tcp': {}, '5001/tcp': {} } };
  writeFileSync(archive, dockerArchive({ tags: ['training/webapp:latest'], layers: [busyboxLayer()], config }));
  await engine.load(archive);
});
afterEach(async () => {
  await engine.removeContainers();
  await engine.ok('network', 'prune', '-f');
});
afterAll(() => engine.cleanUp());

/** Address and port as `port` prints them. */
async function page(published: string): Promise<string> {
  return await ask(null, `http://${published.replace('0.0.0.0', '127.0.0.1')}/`);
}

describe.each(clients)('%s', (client) => {
  const shell = new UserShell(() => engine, client, folder);

  test('the bridge with the host end of each veth on it, an address from the pool', async () => {
    await shell.type('$D run -d --name one busybox sleep 1000; $D run -d --name two busybox sleep 1000');
    const { bridge, bip } = engine.identity;
    expect((await shell.type(`ip -br link show master ${bridge}`)).split('\n')).toHaveLength(2);
    const pool = bip.replace(/\.1\/24$/, '.');
    const address = await shell.type('$D exec one hostname -i');
    expect(address).toStartWith(pool);
    expect(await shell.type(`$D exec two ping -c 1 -w 5 ${address}`)).toContain('1 packets received');
    expect(await shell.type('$D exec one ip route')).toContain(`default via ${pool}1 dev eth0`);
  });

  test('--network bridge|none|host|container:C', async () => {
    expect(await shell.type('$D run --rm --network bridge busybox ls /sys/class/net')).toBe('eth0\nlo');
    expect(await shell.type('$D run --rm --network none busybox ls /sys/class/net')).toBe('lo');
    expect(await shell.type('$D run --rm --network host busybox ls /sys/class/net')).toContain(engine.identity.bridge);
    await shell.type(`$D run -d --name web busybox ${serve}`);
    const same = `until $D run --rm --network container:web busybox wget -q -O- http://127.0.0.1:5000/; do :; done`;
    expect(await shell.type(same)).toBe((await engine.inspect('web')).Config.Hostname);
  });

  test('-h name, --dns 8.8.8.8, seen in /etc/hostname, /etc/hosts, /etc/resolv.conf', async () => {
    const files = 'cat /etc/hostname; tail -n 1 /etc/hosts; grep ^nameserver /etc/resolv.conf';
    const said = await shell.type(`$D run --rm -h box --dns 8.8.8.8 busybox sh -c '${files}'`);
    expect(said).toMatch(/^box\n10\.[\d.]+\tbox\nnameserver 8\.8\.8\.8$/);
  });

  test('-p 9000:5000, -p 127.0.0.1:5001:5000, -p 127.0.0.1:5000:5000/udp', async () => {
    await shell.type(`$D run -d --name web -p 9031:5000 -p 127.0.0.1:9032:5000 busybox ${serve}`);
    const name = (await engine.inspect('web')).Config.Hostname;
    expect(await page('127.0.0.1:9031')).toBe(`${name}\n`);
    expect(await page('127.0.0.1:9032')).toBe(`${name}\n`);
    expect(await shell.type("$D ps --format '{{.Ports}}'")).toContain('127.0.0.1:9032->5000/tcp');
    expect(await shell.type("$D ps --format '{{.Ports}}'")).toContain('0.0.0.0:9031->5000/tcp');
    await shell.type('$D run -d --name echo -p 127.0.0.1:9033:5000/udp busybox sleep 1000');
    // The host's Python in the container's network: busybox has no server for UDP.
    const { Pid } = (await engine.inspect('echo')).State;
    const server = new RunningCommand([...inNetworkOf(Pid).prefix, 'python3', '-c', udpEcho]);
    await server.output(/ready/);
    await until('the datagram to come back', async () => (await askUdp(null, '127.0.0.1', 9033, 'said')) === 'said');
    await server.kill();
    expect(await shell.type("$D ps --filter name=echo --format '{{.Ports}}'")).toBe('127.0.0.1:9033->5000/udp');
  });

  test('-P: a random high port for each EXPOSE', async () => {
    await shell.type('$D run -d -P --name web training/webapp');
    const ports = await shell.type("$D ps --format '{{.Ports}}'");
    expect(ports).toMatch(/0\.0\.0\.0:(3[2-9]|[4-6]\d)\d{3}->5000\/tcp/);
    expect(ports).toMatch(/0\.0\.0\.0:\d{5}->5001\/tcp/);
    expect(await shell.type('$D port web 5000')).toMatch(/^0\.0\.0\.0:\d{5}/);
  });

  test('--link: names and environment', async () => {
    await shell.type(`$D run -d --name db -e SECRET=1 --expose 5000 busybox ${serve}`);
    const said = await shell.type(
      `$D run --rm --link db:database busybox sh -c 'env | grep DATABASE; until wget -q -O- http://database:5000/; do :; done'`,
    );
    expect(said).toMatch(/DATABASE_PORT_5000_TCP_ADDR=10\./);
    expect(said).toContain('DATABASE_ENV_SECRET=1');
    expect(said).toEndWith((await engine.inspect('db')).Config.Hostname);
  });

  test('network create, ls, inspect, connect, disconnect, rm, prune; names between containers', async () => {
    await shell.type('$D network create --subnet 10.97.40.0/24 app; $D network create other');
    expect(await shell.type("$D network ls --format '{{.Name}} {{.Driver}}'")).toBe(
      'app bridge\nbridge bridge\nhost host\nnone null\nother bridge',
    );
    await shell.type(`$D run -d --name web --network app --ip 10.97.40.9 --network-alias site busybox ${serve}`);
    const find = (name: string) =>
      `$D run --rm --network app busybox sh -c 'until wget -q -O- http://${name}:5000/; do :; done'`;
    const name = (await engine.inspect('web')).Config.Hostname;
    expect(await shell.type(find('web'))).toBe(name);
    expect(await shell.type(find('site'))).toBe(name);
    await shell.type('$D network connect --alias second other web');
    expect(await shell.type("$D exec web ls /sys/class/net | tr '\\n' ' '")).toBe('eth0 eth1 lo ');
    expect(await shell.refusal('$D network rm other')).toContain('has active endpoints');
    await shell.type('$D network disconnect other web; $D network rm other; $D rm -f web');
    expect(await shell.type('$D network prune -f')).toBe('Deleted Networks:\napp\n');
  });
});

test('"bip" moves the bridge', async () => {
  const { bridge, bip } = engine.identity;
  const other = bip.replace(/\.1\/24$/, '.65/26');
  await engine.stop();
  const moved = engine.command.map((word) => (word === bip ? other : word));
  expect(moved).toContain(other);
  const child = Bun.spawn(moved, { stdin: 'ignore', stdout: 'ignore', stderr: 'ignore' });
  try {
    await until('the engine to answer', () => engine.answers());
    expect(await engine.ok('run', '--rm', 'busybox', 'hostname', '-i')).toMatch(/^10\.[\d.]+$/);
    expect(Bun.spawnSync(['ip', '-br', '-4', 'address', 'show', bridge]).stdout.toString()).toContain(other);
  } finally {
    child.kill('SIGTERM');
    await child.exited;
    await engine.start();
  }
});
