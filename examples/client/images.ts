/** Names, facts and archives of images, and what an error tells. */
import {
  BerthError,
  finishWork,
  inspectImage,
  listImages,
  loadImages,
  openClient,
  pullImage,
  ResponseError,
  removeImage,
  saveImages,
  tagImage,
} from 'berth/client';

const client = await openClient();
await tagImage(client, 'busybox:latest', { repository: 'example/images', tag: 'one' });
const { Id, Config } = await inspectImage(client, 'example/images:one');
console.log(`${Id.startsWith('sha256:')}, runs ${Config?.Cmd?.join(' ')}`);

// An image goes from one engine to another (here: back to the same) without being kept in memory.
const saved = await saveImages(client, ['example/images:one']);
await removeImage(client, 'example/images:one');
await finishWork(await loadImages(client, { upload: chunks() }), ({ stream }) => console.log(stream?.trim()));
await removeImage(client, 'example/images:one');
console.log((await listImages(client, { filters: new Map([['reference', ['example/*']]]) })).length);

try {
  await inspectImage(client, 'example/nosuch');
} catch (error) {
  if (error instanceof ResponseError) console.log(`${error.kind}, ${error.status}: ${error.message}`);
}
try {
  await finishWork(await pullImage(client, { image: '127.0.0.1:1/nobody', tag: 'here' }));
} catch (error) {
  if (error instanceof BerthError) console.log(`no registry: ${error.kind}`);
}
client.close();

async function* chunks(): AsyncGenerator<Uint8Array> {
  for (let bytes = await saved.body.read(); bytes !== null; bytes = await saved.body.read()) yield bytes;
  saved.close();
}
