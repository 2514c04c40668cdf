/** Two containers that find each other by name, and a volume that outlives the one that wrote it. */
import {
  createContainer,
  createNetwork,
  createVolume,
  inspectNetwork,
  openClient,
  pingEngine,
  removeContainer,
  removeNetwork,
  removeVolume,
  startContainer,
  waitContainer,
} from 'berth/client';

const client = await openClient();
console.log(`API ${(await pingEngine(client)).apiVersion.split('.')[0]}`);
await createNetwork(client, { Name: 'example-net', Labels: { example: 'yes' } });
await createVolume(client, { Name: 'example-data' });
const script = 'echo kept >/data/index.html; exec httpd -f -p 80 -h /data';
const server = await createContainer(client, {
  name: 'example-server',
  body: {
    Image: 'busybox',
    Cmd: ['sh', '-c', script],
    HostConfig: { Binds: ['example-data:/data'], NetworkMode: 'example-net' },
    NetworkingConfig: { EndpointsConfig: { 'example-net': { Aliases: ['web'] } } },
  },
});
await startContainer(client, server.Id);
console.log(Object.values((await inspectNetwork(client, 'example-net')).Containers).map(({ Name }) => Name));
const asking = 'until wget -q -O- http://web/ | grep kept; do :; done';
console.log(`by name: ${await run(['sh', '-c', asking], { NetworkMode: 'example-net' })}`);
await removeContainer(client, server.Id, { force: true });
console.log(`still there: ${await run(['grep', '-q', 'kept', '/data/index.html'], { Binds: ['example-data:/data'] })}`);
await removeNetwork(client, 'example-net');
await removeVolume(client, 'example-data');
client.close();

/** The exit code of a command in a container of its own. */
async function run(command: string[], hostConfig: { NetworkMode?: string; Binds?: string[] }): Promise<number> {
  const { Id } = await createContainer(client, { body: { Image: 'busybox', Cmd: command, HostConfig: hostConfig } });
  const waiting = await waitContainer(client, Id, { condition: 'next-exit' });
  await startContainer(client, Id);
  const { StatusCode } = await waiting.result;
  await removeContainer(client, Id);
  return StatusCode;
}
