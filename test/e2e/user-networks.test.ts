/** Networks that users make: their life, who reaches whom, connect and disconnect while containers run. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { answerOf, ask, inNetworkOf, Machine, silence } from '../support/machine.ts';

let host: Machine;
let engine: TestEngine;

beforeAll(async () => {
  host = await Machine.start();
  engine = await startEngine({ images: ['busybox'], machine: host });
});
afterEach(async () => {
  await engine.removeContainers();
  await docker('network', 'prune', '-f');
});
afterAll(async () => {
  await engine.cleanUp();
  await host.stop();
});

/** Docker's client; anything but exit code 0 throws. */
async function docker(...args: string[]): Promise<string> {
  const result = await engine.docker(...args);
  if (result.code !== 0) throw new Error(`docker ${args.join(' ')}: exit code ${result.code}\n${result.stderr}`);
  return result.stdout.replace(/\n$/, '');
}

async function refusal(...args: string[]): Promise<string> {
  const result = await engine.docker(...args);
  expect(result.code).not.toBe(0);
  return result.stderr;
}

async function serve(name: string, ...flags: string[]): Promise<void> {
  const script = `mkdir /w; echo ${name} >/w/index.html; exec httpd -f -p 80 -h /w`;
  await docker('run', '-d', '--name', name, ...flags, 'busybox', 'sh', '-c', script);
}

async function settings(container: string): Promise<Record<string, { IPAddress: string; DNSNames: string[] | null }>> {
  return (await engine.inspect(container)).NetworkSettings.Networks;
}

/** What a container's web server says to another container. */
async function reach(from: string, address: string, asking = ask): Promise<string> {
  return await asking(inNetworkOf((await engine.inspect(from)).State.Pid), `http://${address}/`);
}

async function interfaces(container: string): Promise<string[]> {
  const { Pid } = (await engine.inspect(container)).State;
  const lines = (await host.ok('nsenter', `--net=/proc/${Pid}/ns/net`, 'ip', '-br', '-4', 'address'))
    .trim()
    .split('\n');
  return lines.map((line) =>
    line
      .split(/\s+/)
      .slice(0, 3)
      .join(' ')
      .replace(/@\S+ \S+/, ''),
  );
}

async function defaultRoute(container: string): Promise<string> {
  const { Pid } = (await engine.inspect(container)).State;
  return (await host.ok('nsenter', `--net=/proc/${Pid}/ns/net`, 'ip', 'route', 'show', 'default')).trim();
}

describe('a network', () => {
  test('lives through a kill of the engine, with its containers', async () => {
    const id = await docker('network', 'create', '--subnet', '10.98.1.0/24', '--label', 'a=b', 'one');
    await serve('server', '--network', 'one', '--ip', '10.98.1.77');
    await docker('run', '-d', '--name', 'client', '--network', 'one', 'busybox', 'sleep', '1000');
    await answerOf(host, 'http://10.98.1.77/');
    await engine.kill9();
    expect(await ask(host, 'http://10.98.1.77/')).toBe('server\n');
    await engine.start();
    expect(await reach('client', '10.98.1.77')).toBe('server\n');
    expect(await docker('network', 'inspect', 'one', '--format', '{{.Id}} {{.Labels}}')).toBe(`${id} map[a:b]`);
    expect((await settings('server'))['one']?.DNSNames?.[0]).toBe('server');
    expect(await refusal('network', 'rm', 'one')).toContain('network one has active endpoints (name:"');
    await engine.removeContainers();
    await docker('network', 'rm', 'one');
    // Docker's clients have words of their own for it.
    expect(await refusal('network', 'rm', 'one')).toMatch(/network:? one/);
  });

  test('says no in dockerd’s words', async () => {
    await docker('network', 'create', '--subnet', '10.98.2.0/24', 'taken');
    for (const [words, ...args] of [
      ['network with name taken already exists', 'taken'],
      ['operation is not permitted on predefined bridge network', 'bridge'],
      ['only one instance of "host" network is allowed', '-d', 'host', 'x'],
      ['plugin "nosuch" not found', '-d', 'nosuch', 'x'],
      ['Pool overlaps with other one on this address space', '--subnet', '10.98.0.0/16', 'x'],
      ['invalid subnet 10.98: invalid CIDR block notation', '--subnet', '10.98', 'x'],
      ['invalid subnet 10.98.3.5/24: it should be 10.98.3.0/24', '--subnet', '10.98.3.5/24', 'x'],
      ['invalid syntax', '-o', 'com.docker.network.driver.mtu=abc', 'x'],
    ] as const) {
      expect(await refusal('network', 'create', ...args)).toContain(words);
    }
    expect(await refusal('network', 'rm', 'host')).toContain('host is a pre-defined network and cannot be removed');
    expect(await refusal('run', '--rm', '--network', 'nosuch', 'busybox', 'true')).toContain(
      'network nosuch not found',
    );
    expect(await refusal('run', '--rm', '--network', 'taken', '--ip', '10.98.2.1', 'busybox', 'true')).toContain(
      'Address already in use',
    );
    expect(await refusal('run', '--rm', '--network', 'taken', '--ip6', 'fd00::5', 'busybox', 'true')).toContain(
      'user specified IP address is supported only when connecting to networks with user configured subnets',
    );
    expect(await refusal('run', '--rm', '--network', 'taken', '--ip', '10.1.1.1', 'busybox', 'true')).toContain(
      'invalid config for network taken: invalid endpoint settings:',
    );
    expect((await docker('network', 'ls', '--format', '{{.Name}}')).split('\n').sort()).toEqual([
      'bridge',
      'host',
      'none',
      'taken',
    ]);
  });

  test('publishes ports at the address that it names', async () => {
    await docker('network', 'create', '-o', 'com.docker.network.bridge.host_binding_ipv4=127.0.0.1', 'local');
    await docker('run', '-d', '--name', 'bound', '--network', 'local', '-p', '8200:80', 'busybox', 'sleep', '1000');
    expect(await docker('port', 'bound')).toBe('80/tcp -> 127.0.0.1:8200');
  });

  test('made many times at once gets a subnet of its own each time', async () => {
    const names = Array.from({ length: 10 }, (_, index) => `many${index}`);
    await Promise.all(names.map((name) => docker('network', 'create', name)));
    const format = '{{range .IPAM.Config}}{{.Subnet}}{{end}}';
    const subnets = (await docker('network', 'inspect', ...names, '--format', format)).split('\n');
    expect(new Set(subnets).size).toBe(names.length);
  });
});

describe('who reaches whom', () => {
  test('containers of one network each other, those of two networks only by published ports', async () => {
    await docker('network', 'create', 'red');
    await docker('network', 'create', 'blue');
    await serve('red1', '--network', 'red', '-p', '8100:80');
    await docker('run', '-d', '--name', 'red2', '--network', 'red', 'busybox', 'sleep', '1000');
    await docker('run', '-d', '--name', 'blue1', '--network', 'blue', 'busybox', 'sleep', '1000');
    await docker('run', '-d', '--name', 'plain', 'busybox', 'sleep', '1000');
    const red = (await settings('red1'))['red']?.IPAddress as string;
    await answerOf(host, `http://${red}/`);
    expect(await reach('red2', red)).toBe('red1\n');
    expect(await reach('blue1', red, silence)).toBe('');
    expect(await reach('plain', red, silence)).toBe('');
    const gateway = engine.identity.bip.split('/')[0];
    expect(await reach('plain', `${gateway}:8100`)).toBe('red1\n');
    expect(await reach('blue1', `${gateway}:8100`)).toBe('red1\n');
    expect(await ask(host, 'http://127.0.0.1:8100/')).toBe('red1\n');
  });

  test('an internal network leads nowhere, icc=false separates its containers', async () => {
    await docker('network', 'create', '--internal', 'inside');
    await docker('network', 'create', '-o', 'com.docker.network.bridge.enable_icc=false', 'apart');
    await serve('inner', '--network', 'inside');
    await docker('run', '-d', '--name', 'inner2', '--network', 'inside', 'busybox', 'sleep', '1000');
    await serve('alone', '--network', 'apart');
    await docker('run', '-d', '--name', 'alone2', '--network', 'apart', 'busybox', 'sleep', '1000');
    const [inner, alone] = [(await settings('inner'))['inside'], (await settings('alone'))['apart']];
    await answerOf(host, `http://${inner?.IPAddress}/`);
    await answerOf(host, `http://${alone?.IPAddress}/`);
    expect(await reach('inner2', inner?.IPAddress as string)).toBe('inner\n');
    expect(await defaultRoute('inner')).toBe('');
    expect(await reach('inner2', alone?.IPAddress as string, silence)).toBe('');
    expect(await reach('alone2', alone?.IPAddress as string, silence)).toBe('');
  });
});

describe('connect and disconnect', () => {
  test('give and take an interface of a running container', async () => {
    await docker('network', 'create', '--subnet', '10.98.4.0/24', 'second');
    await serve('server', '--network', 'second');
    const address = (await settings('server'))['second']?.IPAddress as string;
    await answerOf(host, `http://${address}/`);
    await docker('run', '-d', '--name', 'client', 'busybox', 'sleep', '1000');
    const first = await interfaces('client');
    expect(await reach('client', address, silence)).toBe('');
    await docker('network', 'connect', '--ip', '10.98.4.99', '--alias', 'other', 'second', 'client');
    expect((await interfaces('client')).join(' ')).toContain('10.98.4.99/24');
    expect(await reach('client', address)).toBe('server\n');
    expect(await docker('exec', 'client', 'cat', '/etc/hosts')).toContain('10.98.4.99\t');
    expect((await settings('client'))['second']?.DNSNames).toContain('other');
    expect(await refusal('network', 'connect', 'second', 'client')).toContain(
      'endpoint with name client already exists in network second',
    );
    await docker('network', 'disconnect', 'second', 'client');
    expect(await interfaces('client')).toEqual(first);
    expect(await docker('exec', 'client', 'cat', '/etc/hosts')).not.toContain('10.98.4.99');
    expect(await refusal('network', 'disconnect', 'second', 'client')).toContain('is not connected to network second');
  });

  test('hold over a restart, and the default route goes to the network that is left', async () => {
    await docker('network', 'create', '--subnet', '10.98.5.0/24', 'second');
    await docker('run', '-d', '--name', 'mover', 'busybox', 'sleep', '1000');
    await docker('network', 'connect', 'second', 'mover');
    expect(await defaultRoute('mover')).toContain(`via ${engine.identity.bip.split('/')[0]} `);
    await docker('network', 'disconnect', 'bridge', 'mover');
    expect(await defaultRoute('mover')).toContain('via 10.98.5.1 ');
    await docker('restart', '-t', '0', 'mover');
    expect(Object.keys(await settings('mover'))).toEqual(['second']);
    expect(await defaultRoute('mover')).toContain('via 10.98.5.1 ');
  });

  test('of a container that does not run are remembered until it starts', async () => {
    await docker('network', 'create', '--subnet', '10.98.6.0/24', 'later');
    await docker('create', '--name', 'sleeper', 'busybox', 'sleep', '1000');
    await docker('network', 'connect', '--ip', '10.98.6.66', 'later', 'sleeper');
    expect(Object.keys(await settings('sleeper')).sort()).toEqual(['bridge', 'later']);
    await docker('start', 'sleeper');
    expect((await settings('sleeper'))['later']?.IPAddress).toBe('10.98.6.66');
    expect(await interfaces('sleeper')).toHaveLength(3);
  });

  test('are refused where they make no sense', async () => {
    await docker('network', 'create', '--subnet', '10.98.7.0/24', 'some');
    await docker('run', '-d', '--name', 'hosted', '--network', 'host', 'busybox', 'sleep', '1000');
    await docker('run', '-d', '--name', 'lonely', '--network', 'none', 'busybox', 'sleep', '1000');
    await docker('run', '-d', '--name', 'normal', 'busybox', 'sleep', '1000');
    expect(await refusal('network', 'connect', 'some', 'hosted')).toContain('cannot be connected to any other network');
    expect(await refusal('network', 'connect', 'some', 'lonely')).toContain('private (none) mode');
    expect(await refusal('network', 'connect', 'host', 'normal')).toContain(
      'container must be created in host network mode',
    );
    expect(await refusal('network', 'connect', '--ip', '10.1.1.1', 'some', 'normal')).toContain(
      'no configured subnet or ip-range contain the IP address 10.1.1.1',
    );
    expect(await refusal('network', 'connect', 'some', 'nobody')).toContain('No such container: nobody');
    expect(await interfaces('normal')).toHaveLength(2);
  });
});
