/** Watches what happens to a container, and what it uses. */
import {
  containerStats,
  createContainer,
  engineEvents,
  openClient,
  readMessages,
  removeContainer,
  startContainer,
} from 'berth/client';

const client = await openClient();
const filters = new Map([['label', ['example=watch']]]);
const events = readMessages(await engineEvents(client, { filters }));
const body = { Image: 'busybox', Cmd: ['sleep', '1000'], Labels: { example: 'watch' } };
const { Id } = await createContainer(client, { body });
await startContainer(client, Id);
for await (const { memory_stats, pids_stats } of readMessages(await containerStats(client, Id, { stream: true }))) {
  if (memory_stats.usage) console.log(`${pids_stats.current ?? 1} process, some memory: ${memory_stats.usage > 0}`);
  break;
}
await removeContainer(client, Id, { force: true });
for await (const { Action, timeNano } of events) {
  if (timeNano <= 0n) throw new Error('an event without a time');
  if (['create', 'start', 'die', 'destroy'].includes(Action)) console.log(Action);
  if (Action === 'destroy') break;
}
client.close();
