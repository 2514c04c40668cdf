/** The power goes: what the engine called loaded is there to the last byte, what it had not called so is gone without a trace. */
import { afterEach, beforeEach, expect, test } from 'bun:test';
import { createHash, randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { ImageEngine } from '../support/image-engine.ts';
import { dockerArchive } from '../support/images.ts';
import { SmallDisk } from '../support/small-disk.ts';
import { tar } from '../support/tar.ts';

let disk: SmallDisk;
let engine: ImageEngine;
beforeEach(async () => {
  disk = await SmallDisk.make({ bytes: 96 * 1024 * 1024 });
  engine = new ImageEngine(disk.path);
});
afterEach(async () => {
  engine.stop();
  await disk.remove();
});

const layer = (files: number): Uint8Array =>
  tar(Array.from({ length: files }, (_, index) => ({ name: `d${index % 7}/f${index}`, content: randomBytes(9000) })));

/** Cuts the power, brings the disk back and starts an engine on it. */
async function powerCut(): Promise<void> {
  disk.cutPower();
  try {
    engine.stop();
  } catch {
    // The database cannot be closed in good order, which is the point.
  }
  await disk.unmount();
  await disk.mount();
  engine = new ImageEngine(disk.path);
  await engine.store.recover((error) => {
    throw error;
  });
}

async function expectWhole(name: string): Promise<void> {
  for (const diffId of engine.images.inspect(name, { platform: null }).RootFS.Layers ?? []) {
    const hash = createHash('sha256');
    for await (const chunk of engine.store.layerTar(diffId)) hash.update(chunk as Buffer);
    expect(`sha256:${hash.digest('hex')}`).toBe(diffId);
  }
}

test('right after a load', async () => {
  await engine.load(dockerArchive({ tags: ['a:1', 'b:1'], layers: [layer(300), layer(20)] }));
  await powerCut();
  expect(engine.names()).toEqual(['a:1', 'b:1']);
  await expectWhole('a:1');
});

test('right after a tag and a removal', async () => {
  await engine.load(dockerArchive({ tags: ['a:1'], layers: [layer(20)] }));
  await engine.load(dockerArchive({ tags: ['gone:1'], layers: [layer(20)] }));
  await engine.images.tag('a:1', 'c', '2');
  await engine.images.remove('gone:1', { force: false, noPrune: false });
  await powerCut();
  expect(engine.names({}, true)).toEqual(['a:1', 'c:2']);
  await expectWhole('c:2');
  expect(readdirSync(engine.paths.layers)).toHaveLength(1);
});

test('before a load is done', async () => {
  await engine.load(dockerArchive({ tags: ['a:1'], layers: [layer(20)] }));
  const lease = await engine.store.lease('test');
  const { Readable } = await import('node:stream');
  const stream = Readable.from([Buffer.from(layer(200))], { objectMode: false });
  const source = { kind: 'stream', stream } as const;
  // In its place, but no image has it yet.
  await engine.store.ingestLayer({ source, lease, digest: null, size: null, diffId: null });
  await powerCut();
  expect(engine.names({}, true)).toEqual(['a:1']);
  expect(readdirSync(engine.paths.layers)).toHaveLength(1);
  expect(readdirSync(engine.paths.temporary)).toEqual([]);
  await expectWhole('a:1');
});
