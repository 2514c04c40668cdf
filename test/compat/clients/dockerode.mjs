/** dockerode: container, attach, exec, logs, archive, stats, events, networks, volumes, images. Argument: none; DOCKER_HOST says where. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import Docker from 'dockerode';

const docker = new Docker({ socketPath: process.env.DOCKER_HOST.replace('unix://', '') });

/** Both halves of a multiplexed stream as text. */
async function demultiplex(stream) {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  docker.modem.demuxStream(stream, stdout, stderr);
  stream.on('end', () => {
    stdout.end();
    stderr.end();
  });
  return await Promise.all([text(stdout), text(stderr)]);
}

const events = await docker.getEvents({ filters: { type: ['container'], label: ['dockerode=1'] } });
const seen = [];
events.on('data', (line) => {
  for (const part of line.toString().trim().split('\n')) seen.push(JSON.parse(part).Action);
});

await docker.createNetwork({ Name: 'dockerode', Labels: { a: 'b' }, CheckDuplicate: true });
await docker.createVolume({ Name: 'dockerode' });

const container = await docker.createContainer({
  Image: 'busybox',
  name: 'dockerode',
  Cmd: ['sh', '-c', 'read line; echo "out $line"; echo err >&2; exec sleep 1000'],
  Labels: { dockerode: '1' },
  OpenStdin: true,
  StdinOnce: true,
  AttachStdin: true,
  AttachStdout: true,
  AttachStderr: true,
  ExposedPorts: { '80/tcp': {} },
  HostConfig: {
    Binds: ['dockerode:/data'],
    NetworkMode: 'dockerode',
    PortBindings: { '80/tcp': [{ HostPort: '' }] },
  },
});
const attached = await container.attach({ stream: true, hijack: true, stdin: true, stdout: true, stderr: true });
const waiting = container.wait({ condition: 'next-exit' });
await container.start();
attached.write('typed\n');
const first = new PassThrough();
const second = new PassThrough();
docker.modem.demuxStream(attached, first, second);
assert.equal((await once(first, 'data'))[0].toString(), 'out typed\n');
assert.equal((await once(second, 'data'))[0].toString(), 'err\n');

const facts = await container.inspect();
assert.equal(facts.State.Running, true);
assert.equal(facts.Name, '/dockerode');
assert.match(facts.Image, /^sha256:/);
assert.equal(facts.Mounts[0].Name, 'dockerode');
assert.ok(Number(facts.NetworkSettings.Ports['80/tcp'][0].HostPort) > 0);
assert.ok(facts.NetworkSettings.Networks.dockerode.NetworkID);

const listed = await docker.listContainers({ filters: { label: ['dockerode=1'] } });
assert.equal(listed[0].Names[0], '/dockerode');
assert.equal(typeof listed[0].Created, 'number');

// Exec as dockerode asks for it: with an upgrade, and without one.
for (const hijack of [true, false]) {
  const exec = await container.exec({
    Cmd: ['sh', '-c', 'echo one; echo two >&2; exit 3'],
    AttachStdout: true,
    AttachStderr: true,
  });
  assert.deepEqual(await demultiplex(await exec.start({ hijack, stdin: false })), ['one\n', 'two\n']);
  const { Running, ExitCode } = await exec.inspect();
  assert.deepEqual({ Running, ExitCode }, { Running: false, ExitCode: 3 });
}
const cat = await container.exec({ Cmd: ['cat'], AttachStdin: true, AttachStdout: true });
const stream = await cat.start({ hijack: true, stdin: true });
stream.end('through\n');
assert.equal((await demultiplex(stream))[0], 'through\n');

const log = await container.logs({ stdout: true, stderr: true, timestamps: false });
assert.ok(log.toString('latin1').includes('out typed'));

const archive = await container.getArchive({ path: '/etc/passwd' });
const tar = Buffer.concat(await archive.toArray());
assert.ok(tar.includes('root:x:0:0'));
await container.putArchive(tar, { path: '/tmp' });
const copied = await container.exec({ Cmd: ['cat', '/tmp/passwd'], AttachStdout: true });
assert.match((await demultiplex(await copied.start({})))[0], /^root:x:0:0/);
await assert.rejects(container.getArchive({ path: '/nowhere' }), { statusCode: 404 });

const stats = await container.stats({ stream: false });
assert.equal(typeof stats.memory_stats.usage, 'number');
assert.ok(stats.networks.eth0);
const top = await container.top();
assert.ok(top.Titles.includes('PID'));
await container.pause();
await container.unpause();
await container.rename({ name: 'dockerode-renamed' });
await container.update({ Memory: 64 * 1024 * 1024, MemorySwap: 128 * 1024 * 1024 });
await container.resize({ h: 10, w: 20 }).catch((error) => assert.ok(error.statusCode));

await assert.rejects(docker.createContainer({ Image: 'busybox', name: 'dockerode-renamed' }), { statusCode: 409 });
await assert.rejects(docker.createContainer({ Image: 'nosuch:image' }), { statusCode: 404 });
await assert.rejects(container.start(), { statusCode: 304 });
await assert.rejects(docker.getContainer('nosuch').inspect(), { statusCode: 404 });
await assert.rejects(container.remove(), { statusCode: 409 });

const { Id } = await container.commit({ repo: 'dockerode', tag: 'made' });
assert.match(Id, /^sha256:/);
const image = docker.getImage('dockerode:made');
assert.equal((await image.inspect()).Id, Id);
await image.tag({ repo: 'dockerode', tag: 'twice' });
assert.ok((await image.history()).length >= 2);
const saved = Buffer.concat(await (await image.get()).toArray());
await docker.getImage('dockerode:twice').remove();
await image.remove();
const loading = await docker.loadImage(saved);
const progress = await new Promise((resolve, reject) => {
  docker.modem.followProgress(loading, (error, output) => (error ? reject(error) : resolve(output)));
});
assert.ok(progress.some((line) => line.stream?.includes('Loaded image: dockerode:made')));
const [output, ran] = await docker.run('dockerode:made', ['sh', '-c', 'cat /tmp/passwd; exit 4'], new PassThrough());
assert.equal(output.StatusCode, 4);
await ran.remove();
await docker.getImage('dockerode:made').remove();

const network = docker.getNetwork('dockerode');
assert.equal(Object.keys((await network.inspect()).Containers).length, 1);
await container.kill({ signal: 'KILL' });
assert.equal((await waiting).StatusCode, 137);
attached.destroy();
await container.remove({ v: true });
await network.remove();
await docker.getVolume('dockerode').remove();
assert.ok((await docker.df()).Images.length > 0);
assert.equal((await docker.info()).Swarm.LocalNodeState, 'inactive');
await docker.ping();

while (!seen.includes('destroy')) await once(events, 'data');
for (const action of ['create', 'attach', 'start', 'pause', 'unpause', 'rename', 'update', 'kill', 'die', 'destroy'])
  assert.ok(seen.includes(action), `${action} in ${seen}`);
events.destroy();
console.log('done');
