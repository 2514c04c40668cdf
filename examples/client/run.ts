/** Runs a command in a new container, reads both of its streams as they come, and its exit code. */
import {
  attachContainer,
  createContainer,
  openClient,
  readOutput,
  removeContainer,
  startContainer,
  waitContainer,
} from 'berth/client';

const client = await openClient();
const { Id } = await createContainer(client, {
  body: {
    Image: 'busybox',
    Cmd: ['sh', '-c', 'read name; echo "hello $name"; echo "bye $name" >&2; exit 3'],
    OpenStdin: true,
    StdinOnce: true,
  },
});
try {
  // Attached and waiting before the start: nothing is missed.
  const stream = await attachContainer(client, Id, { stream: true, stdin: true, stdout: true, stderr: true });
  const waiting = await waitContainer(client, Id, { condition: 'next-exit' });
  await startContainer(client, Id);
  await stream.write(new TextEncoder().encode('world\n'));
  stream.end();
  for await (const { stream: name, bytes } of readOutput(stream))
    console.log(`${name}: ${new TextDecoder().decode(bytes).trim()}`);
  console.log(`exit code ${(await waiting.result).StatusCode}`);
} finally {
  await removeContainer(client, Id, { force: true, volumes: true });
  client.close();
}
