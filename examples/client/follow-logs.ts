/** Follows the log of a running container, and stops in the middle by an AbortSignal. */
import {
  BerthError,
  containerLogs,
  createContainer,
  openClient,
  readOutput,
  removeContainer,
  startContainer,
} from 'berth/client';

const client = await openClient();
const script = 'n=0; while :; do n=$((n+1)); echo "line $n"; sleep 0.05; done';
const { Id } = await createContainer(client, { body: { Image: 'busybox', Cmd: ['sh', '-c', script] } });
const controller = new AbortController();
try {
  await startContainer(client, Id);
  const log = await containerLogs(client.withSignal(controller.signal), Id, {
    stdout: true,
    stderr: true,
    follow: true,
  });
  let text = '';
  for await (const { bytes } of readOutput(log)) {
    text += new TextDecoder().decode(bytes);
    if (text.includes('line 5\n')) controller.abort();
  }
} catch (error) {
  if (!(error instanceof BerthError) || error.kind !== 'cancelled') throw error;
  console.log('enough');
} finally {
  await removeContainer(client, Id, { force: true });
  client.close();
}
