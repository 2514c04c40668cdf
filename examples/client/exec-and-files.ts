/** Runs commands in a running container, gives one of them input, and copies files out and in. */
import {
  createContainer,
  createExec,
  inspectExec,
  openClient,
  outputText,
  readContainerArchive,
  removeContainer,
  startContainer,
  startExec,
  writeContainerArchive,
} from 'berth/client';

const client = await openClient();
const { Id } = await createContainer(client, { body: { Image: 'busybox', Cmd: ['sleep', '1000'] } });
try {
  await startContainer(client, Id);
  const sort = await createExec(client, Id, {
    Cmd: ['sort'],
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
  });
  const stream = await startExec(client, sort, {});
  await stream.write(new TextEncoder().encode('pear\napple\n'));
  stream.end();
  console.log((await outputText(stream)).stdout.trim().replace('\n', ', '));
  console.log(`exit code ${(await inspectExec(client, sort)).ExitCode}`);

  const { stat, content } = await readContainerArchive(client, Id, '/etc/passwd');
  console.log(`${stat.name}: ${stat.size > 0}`);
  // The archive goes back in as it comes out, to another place.
  await writeContainerArchive(client, Id, { path: '/tmp', upload: chunksOf(content) });
  const cat = await createExec(client, Id, { Cmd: ['head', '-n', '1', '/tmp/passwd'], AttachStdout: true });
  console.log((await outputText(await startExec(client, cat, {}))).stdout.trim());
} finally {
  await removeContainer(client, Id, { force: true });
  client.close();
}

async function* chunksOf({ body }: { body: { read(): Promise<Uint8Array | null> } }): AsyncGenerator<Uint8Array> {
  for (let bytes = await body.read(); bytes !== null; bytes = await body.read()) yield bytes;
}
