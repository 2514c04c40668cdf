/** Names: what 127.0.0.11 answers in a container, who is asked for the rest, and that neither needs the engine alive. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import { program, startEngine, type TestEngine } from '../support/engine.ts';
import { inNetworkOf, Machine } from '../support/machine.ts';
import { repository } from '../support/repository.ts';
import { until } from '../support/until.ts';

let host: Machine;
let engine: TestEngine;
const servers: Bun.Subprocess[] = [];

beforeAll(async () => {
  host = await Machine.start();
  engine = await startEngine({ images: ['busybox'], machine: host });
});
afterEach(async () => {
  for (const server of servers.splice(0)) server.kill();
  await engine.removeContainers();
  await engine.ok('network', 'prune', '-f');
});
afterAll(async () => {
  await engine.cleanUp();
  await host.stop();
});

/** What no container is called is asked of a closed port, so that the refusal comes at once. */
async function run(name: string, ...flags: string[]): Promise<void> {
  const dns = flags.includes('--dns') ? [] : ['--dns', '127.0.0.1'];
  await engine.ok('run', '-d', '--name', name, ...dns, ...flags, 'busybox', 'sleep', '1000');
}

async function pidOf(container: string): Promise<number> {
  return (await engine.inspect(container)).State.Pid;
}

/**
 * Asks 127.0.0.11 in the network of a process, without the engine's help. Gives the code of the reply and its addresses or names.
 * @param how type of the record (A, AAAA, PTR), or `tcp` for A over TCP
 */
async function ask(pid: number, name: string, how = 'A'): Promise<string> {
  const program = `
import socket, struct, sys
name, how = sys.argv[1:]
kind = {'A': 1, 'tcp': 1, 'AAAA': 28, 'PTR': 12}[how]
labels = b''.join(bytes([len(l)]) + l.encode() for l in name.split('.'))
query = b'\\x12\\x34\\x01\\x00\\x00\\x01\\0\\0\\0\\0\\0\\0' + labels + b'\\0' + struct.pack('>HH', kind, 1)
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM if how == 'tcp' else socket.SOCK_DGRAM)
s.settimeout(60)
s.connect(('127.0.0.11', 53))
if how == 'tcp':
    s.send(struct.pack('>H', len(query)) + query)
    reply = s.recv(65536)[2:]
else:
    s.send(query)
    reply = s.recv(65536)
assert reply[:2] == query[:2] and reply[12:len(query)] == query[12:]
at, found = len(query), []
for _ in range(struct.unpack('>H', reply[6:8])[0]):
    length = struct.unpack('>H', reply[at + 10:at + 12])[0]
    data = reply[at + 12:at + 12 + length]
    found.append(socket.inet_ntoa(data) if kind == 1 else data.replace(b'\\3', b'.').decode('latin1'))
    at += 12 + length
print(reply[3] & 15, *sorted(found))
`;
  const command = [...inNetworkOf(pid).prefix, 'python3', '-c', program, name, how];
  const child = Bun.spawn(command, { stdout: 'pipe', stderr: 'pipe' });
  const [text, errors] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return text.trim() || errors.trim().split('\n').at(-1) || '';
}

/** A server of names at an address of the host. */
async function serveNames(address: string, kind: 'answers' | 'fails' | 'silent'): Promise<void> {
  const program = join(repository, 'test/support/name-server.ts');
  const child = Bun.spawn([...host.prefix, process.execPath, program, address, kind], { stdout: 'pipe' });
  servers.push(child);
  const first = await child.stdout.getReader().read();
  if (first.done) throw new Error(`no name server at ${address}`);
}

/** Null: there is none. */
function resolverPid(): number | null {
  const found = Bun.spawnSync(['pgrep', '-f', '--', `--resolver ${engine.identity.execRoot}/`])
    .stdout.toString()
    .trim();
  return found === '' ? null : Number(found.split('\n')[0]);
}

function killResolver(): void {
  const pid = resolverPid();
  if (pid === null) throw new Error('there is no resolver');
  process.kill(pid, 'SIGKILL');
}

describe('the resolver', () => {
  test('knows names, aliases, short ids and links, over UDP and TCP, and the way back', async () => {
    await engine.ok('network', 'create', '--subnet', '10.97.1.0/24', 'net');
    await run('one', '--network', 'net', '--network-alias', 'al', '-h', 'hosty');
    await run('two', '--network', 'net', '--network-alias', 'al', '--link', 'one:linked');
    const pid = await pidOf('two');
    const id = (await engine.inspect('one')).Id.slice(0, 12);
    for (const name of ['one', 'ONE', 'one.net', id, 'hosty', 'linked', 'linked.net'])
      expect(await ask(pid, name)).toBe('0 10.97.1.2');
    expect(await ask(pid, 'al')).toBe('0 10.97.1.2 10.97.1.3');
    expect(await ask(pid, 'one', 'tcp')).toBe('0 10.97.1.2');
    expect(await ask(pid, 'one', 'AAAA')).toBe('0');
    expect(await ask(pid, '2.1.97.10.in-addr.arpa', 'PTR')).toContain('one.net');
    expect(await ask(await pidOf('one'), 'linked')).not.toContain('10.97');
    // As programs of the container see it.
    expect(await engine.ok('exec', 'two', 'nslookup', 'one')).toContain('Address: 10.97.1.2');
    expect(await engine.ok('exec', 'two', 'cat', '/etc/resolv.conf')).toContain('nameserver 127.0.0.11\n');
  });

  test('has names ready before the first program of a container runs', async () => {
    await engine.ok('network', 'create', 'net');
    await run('first', '--network', 'net');
    for (let round = 0; round < 5; round++)
      expect(await engine.ok('run', '--rm', '--network', 'net', 'busybox', 'nslookup', 'first')).toContain('Name:');
  });

  test('follows connect, disconnect, rename and the end of containers', async () => {
    await engine.ok('network', 'create', '--subnet', '10.97.2.0/24', 'net');
    await run('member', '--network', 'net');
    await run('guest');
    const pid = await pidOf('guest');
    const before = await engine.ok('exec', 'guest', 'cat', '/etc/resolv.conf');
    expect(before).not.toContain('127.0.0.11');
    await engine.ok('network', 'connect', '--alias', 'visitor', 'net', 'guest');
    expect(await engine.ok('exec', 'guest', 'cat', '/etc/resolv.conf')).toContain('nameserver 127.0.0.11\n');
    expect(await ask(pid, 'member')).toBe('0 10.97.2.2');
    const memberPid = await pidOf('member');
    expect(await ask(memberPid, 'visitor')).toBe('0 10.97.2.3');
    await engine.ok('rename', 'guest', 'friend');
    expect(await ask(memberPid, 'friend')).toBe('0 10.97.2.3');
    expect(await ask(memberPid, 'guest')).not.toContain('10.97');
    await engine.ok('network', 'disconnect', 'net', 'friend');
    expect(await ask(memberPid, 'friend')).not.toContain('10.97');
    expect(await ask(pid, 'member')).not.toContain('10.97');
    await run('short', '--network', 'net');
    expect(await ask(memberPid, 'short')).toStartWith('0 10.97.2.');
    await engine.ok('rm', '-f', 'short');
    await until('the name to be forgotten', async () => !(await ask(memberPid, 'short')).includes('10.97'));
  });

  test('keeps networks apart, and leaves the default bridge alone', async () => {
    await engine.ok('network', 'create', 'red');
    await engine.ok('network', 'create', 'blue');
    await run('rr', '--network', 'red');
    await run('bb', '--network', 'blue');
    await run('plain');
    expect(await ask(await pidOf('bb'), 'rr')).toStartWith('2');
    expect(await engine.ok('exec', 'plain', 'cat', '/etc/resolv.conf')).not.toContain('127.0.0.11');
    expect(await ask(await pidOf('plain'), 'rr')).toContain('refused');
  });

  test('asks other servers for the rest, and the next one when a server fails or is silent', async () => {
    await engine.ok('network', 'create', '--subnet', '10.97.3.0/24', 'net');
    await host.script(
      'for n in 1 2 3; do ip address add 10.97.100.$n/32 dev lo; done', // further addresses of the host
    );
    await serveNames('10.97.100.1', 'silent');
    await serveNames('10.97.100.2', 'fails');
    await serveNames('10.97.100.3', 'answers');
    const dns = ['1', '2', '3'].flatMap((number) => ['--dns', `10.97.100.${number}`]);
    await run('asker', '--network', 'net', ...dns);
    const pid = await pidOf('asker');
    expect(await ask(pid, 'example.org')).toBe('0 192.0.2.7');
    expect(await ask(pid, 'example.org', 'tcp')).toBe('0 192.0.2.7');
    await run('lost', '--network', 'net', '--dns', '10.97.100.2');
    expect(await ask(await pidOf('lost'), 'example.org')).toBe('2');
    await engine.ok('network', 'create', '--internal', 'inside');
    await run('inner', '--network', 'inside', '--dns', '10.97.100.3');
    expect(await ask(await pidOf('inner'), 'example.org')).toBe('2');
    expect(await ask(await pidOf('inner'), 'inner')).toStartWith('0 ');
  });

  test('answers while the engine is dead, and is the same one afterwards', async () => {
    await engine.ok('network', 'create', '--subnet', '10.97.4.0/24', 'net');
    await run('one', '--network', 'net');
    await run('two', '--network', 'net');
    const pid = await pidOf('two');
    const resolver = resolverPid();
    await engine.kill9();
    expect(await ask(pid, 'one')).toBe('0 10.97.4.2');
    await engine.start();
    expect(await ask(pid, 'one')).toBe('0 10.97.4.2');
    expect(resolverPid()).toBe(resolver);
    await engine.restart();
    await run('three', '--network', 'net');
    expect(await ask(pid, 'three')).toBe('0 10.97.4.4');
    expect(resolverPid()).toBe(resolver);
  });

  test('is started again when it dies, with the engine or before its next start', async () => {
    await engine.ok('network', 'create', '--subnet', '10.97.5.0/24', 'net');
    await run('one', '--network', 'net');
    await run('two', '--network', 'net');
    const pid = await pidOf('two');
    killResolver();
    await until('another resolver', async () => (await ask(pid, 'one')) === '0 10.97.5.2');
    await engine.kill9();
    killResolver();
    await engine.start();
    expect(await ask(pid, 'one')).toBe('0 10.97.5.2');
  });

  test('lets go of containers that end while the engine is dead, and leaves after the last', async () => {
    await engine.ok('network', 'create', 'net');
    await run('one', '--network', 'net');
    const pid = await pidOf('one');
    await engine.kill9();
    process.kill(pid, 'SIGKILL');
    await until('the resolver to leave', () => resolverPid() === null);
    await engine.start();
    await run('two', '--network', 'net');
    expect(await ask(await pidOf('two'), 'two')).toStartWith('0 ');
  });

  test('that leaves is no hindrance to the next one', async () => {
    await engine.ok('network', 'create', '--subnet', '10.97.8.0/24', 'net');
    for (let round = 0; round < 5; round++) {
      await engine.ok('run', '--rm', '--network', 'net', 'busybox', 'true');
      // Without a container it leaves with the engine, and the next engine comes at once.
      await engine.restart();
    }
    await run('one', '--network', 'net');
    expect(await ask(await pidOf('one'), 'one')).toStartWith('0 10.97.8.');
  });

  test('of another version is told to leave when an engine has one of its own', async () => {
    await engine.ok('network', 'create', '--subnet', '10.97.7.0/24', 'net');
    await run('one', '--network', 'net');
    const { execRoot } = engine.identity;
    const paths = [`${execRoot}/names/0.sock`, `${execRoot}/containers`];
    const old = Bun.spawn([...host.prefix, ...program(), '--resolver', ...paths], { stdout: 'pipe' });
    await old.stdout.getReader().read();
    await engine.restart();
    expect(await old.exited).toBe(0);
    expect(await ask(await pidOf('one'), 'one')).toBe('0 10.97.7.2');
  });

  test('is not needed by a container that finds the resolver busy with nonsense', async () => {
    await engine.ok('network', 'create', '--subnet', '10.97.6.0/24', 'net');
    await run('one', '--network', 'net');
    const pid = await pidOf('one');
    const noise = `
import os, socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(3000): s.sendto(os.urandom(i % 700), ('127.0.0.11', 53))
for i in range(50):
    t = socket.create_connection(('127.0.0.11', 53)); t.send(os.urandom(4000)); t.close()
`;
    await host.ok(...inNetworkOf(pid).prefix, 'python3', '-c', noise);
    await until('an answer', async () => (await ask(pid, 'one')) === '0 10.97.6.2');
  });
});
