/** A program as users of testcontainers write it: waits, ports, files, networks with aliases, exec, logs, the reaper. */
import assert from 'node:assert/strict';
import { GenericContainer, Network, Wait } from 'testcontainers';

// testcontainers lets go of the sockets of its log streams; a program that only reads a log would end.
const alive = setInterval(() => undefined, 1000);
const page = 'mkdir -p /w; echo hello >/w/index.html; echo listening; exec httpd -f -p 8080 -h /w';
const network = await new Network().start();
const server = await new GenericContainer('busybox:latest')
  .withCommand(['sh', '-c', page])
  .withExposedPorts(8080)
  .withNetwork(network)
  .withNetworkAliases('server')
  .withEnvironment({ COLOUR: 'blue' })
  .withLabels({ testcontainers: 'yes' })
  .withTmpFs({ '/scratch': 'rw,size=1m' })
  .withCopyContentToContainer([{ content: 'copied', target: '/etc/note' }])
  .withWaitStrategy(Wait.forAll([Wait.forLogMessage('listening'), Wait.forHttp('/', 8080), Wait.forListeningPorts()]))
  .start();

const url = `http://${server.getHost()}:${server.getMappedPort(8080)}/`;
assert.equal(await (await fetch(url)).text(), 'hello\n');
const { output, exitCode } = await server.exec([
  'sh',
  '-c',
  'cat /etc/note; echo; echo $COLOUR; mount | grep -c /scratch',
]);
assert.deepEqual({ output, exitCode }, { output: 'copied\nblue\n1\n', exitCode: 0 });
assert.equal((await server.exec(['sh', '-c', 'exit 9'])).exitCode, 9);

const client = await new GenericContainer('busybox:latest')
  .withCommand(['sh', '-c', 'wget -q -O- http://server:8080/; exec sleep 1000'])
  .withNetwork(network)
  .withWaitStrategy(Wait.forLogMessage('hello'))
  .start();
assert.ok(client.getIpAddress(network.getName()));

const healthy = await new GenericContainer('busybox:latest')
  .withCommand(['sleep', '1000'])
  .withHealthCheck({
    test: ['CMD-SHELL', 'test -e /etc/passwd'],
    interval: 200,
    timeout: 3000,
    retries: 20,
    startPeriod: 0,
  })
  .withWaitStrategy(Wait.forHealthCheck())
  .start();

const once = await new GenericContainer('busybox:latest')
  .withCommand(['sh', '-c', 'echo only once'])
  .withWaitStrategy(Wait.forOneShotStartup())
  .start();
const lines = [];
const log = await once.logs();
for await (const line of log) lines.push(line.toString());
assert.equal(lines.join('').trim(), 'only once');

const archive = await server.copyArchiveFromContainer('/etc/note');
assert.ok(Buffer.concat(await archive.toArray()).includes('copied'));

await server.restart();
assert.equal(await (await fetch(`http://${server.getHost()}:${server.getMappedPort(8080)}/`)).text(), 'hello\n');
const committed = await server.commit({ repo: 'testcontainers-made', tag: 'one', deleteOnExit: false });
assert.match(committed, /./);

await Promise.all([server, client, healthy, once].map((container) => container.stop()));
await network.stop();
clearInterval(alive);
console.log('done');
