/** A data root on a file system of a few megabytes: what does not fit fails with a reason, and leaves the rest as it was. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { randomBytes } from 'node:crypto';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { ImageEngine } from '../support/image-engine.ts';
import { dockerArchive } from '../support/images.ts';
import { ociLayout } from '../support/oci-layout.ts';
import { SmallDisk } from '../support/small-disk.ts';
import { tar } from '../support/tar.ts';
import { until } from '../support/until.ts';

let disk: SmallDisk;
let engine: ImageEngine;

beforeAll(async () => {
  disk = await SmallDisk.make({ bytes: 48 * 1024 * 1024, inodes: 2000 });
  engine = new ImageEngine(disk.path);
});

afterAll(async () => {
  engine?.stop();
  await disk?.remove();
});

const big = (bytes: number): Uint8Array => tar([{ name: 'big', content: randomBytes(bytes) }]);

test('an image that does not fit leaves no trace, one that fits still comes in', async () => {
  await engine.load(dockerArchive({ tags: ['small:1'], layers: [big(1024 * 1024)] }));
  const before = disk.free;
  const archive = dockerArchive({ tags: ['huge:1'], layers: [big(2 * 1024 * 1024), big(80 * 1024 * 1024)] });
  await expect(engine.load(archive)).rejects.toMatchObject({
    kind: 'internal',
    message: expect.stringContaining('no space left on device'),
  });
  await until('its layers go', () => readdirSync(engine.paths.layers).length === 1);
  expect(readdirSync(engine.paths.temporary)).toEqual([]);
  expect(engine.names({}, true)).toEqual(['small:1']);
  // The journal and the database may have grown by a few blocks.
  expect(Math.abs(before - disk.free)).toBeLessThan(512 * 1024);
  await engine.load(dockerArchive({ tags: ['other:1'], layers: [big(1024 * 1024)] }));
  expect(engine.names()).toEqual(['other:1', 'small:1']);
  expect((await engine.save('small:1')).length).toBeGreaterThan(1024 * 1024);
});

test('packed layers that are kept beside their trees', async () => {
  const layers = [big(20 * 1024 * 1024), big(20 * 1024 * 1024)];
  const packed = layers.map((bytes) => gzipSync(bytes, { level: 1 }));
  const archive = ociLayout({
    layers,
    packed,
    mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
    name: 'docker.io/library/packed:1',
  });
  await expect(engine.load(archive)).rejects.toMatchObject({
    kind: 'internal',
    message: expect.stringContaining('no space left on device'),
  });
  expect(engine.names({}, true)).not.toContain('packed:1');
  await until('its files go', () => readdirSync(engine.paths.temporary).length === 0);
  expect(readdirSync(engine.paths.blobs)).toEqual([]);
});

test('no inode is left', async () => {
  const many = tar(Array.from({ length: 2500 }, (_, index) => ({ name: `f${index}`, content: '' })));
  await expect(engine.load(dockerArchive({ tags: ['many:1'], layers: [many] }))).rejects.toMatchObject({
    kind: 'internal',
    message: expect.stringContaining('no space left on device'),
  });
  expect(engine.names({}, true)).not.toContain('many:1');
  await until('its files go', () => readdirSync(engine.paths.temporary).length === 0);
});

test('the image fits, its documents do not: no row speaks of it, and the engine goes on', async () => {
  const filler = `${disk.path}/filler`;
  const archive = dockerArchive({
    tags: ['last:1'],
    layers: [tar([{ name: 'f', content: 'x' }])],
    config: { Labels: { big: 'x'.repeat(900_000) } },
  });
  // Leaves room for the layer, but not for a megabyte of labels.
  writeFileSync(filler, Buffer.alloc(Math.max(0, disk.free - 600 * 1024)));
  await expect(engine.load(archive)).rejects.toThrow();
  expect(engine.names({}, true)).not.toContain('last:1');
  rmSync(filler);
  await engine.load(archive);
  expect(engine.names()).toContain('last:1');
});
