/** Many clients load, save, tag and remove images that share layers, all at once; whatever wins, the store stays sound. */
import { expect, test } from 'bun:test';
import { readdirSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { BerthError } from '../../src/api/errors.ts';
import { ImageEngine } from '../support/image-engine.ts';
import { dockerArchive } from '../support/images.ts';
import { tar } from '../support/tar.ts';
import { until } from '../support/until.ts';

const workers = 6;
const steps = 12;

/** The same numbers in every run. */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const layer = (name: string): Uint8Array =>
  tar(Array.from({ length: 20 }, (_, index) => ({ name: `${name}/f${index}`, content: name.repeat(50) })));

/** Four images over two bases, plain and packed. */
const archives = [0, 1, 2, 3].map((index) => {
  const archive = dockerArchive({
    tags: [`storm${index}:1`],
    layers: [layer(`base${index % 2}`), layer('middle'), layer(`top${index}`)],
  });
  return index === 3 ? gzipSync(archive) : archive;
});

/** What may happen when others work on the same names. */
function isExpected(error: unknown): boolean {
  return error instanceof BerthError && (error.kind === 'not-found' || error.kind === 'conflict');
}

test('loads, saves, tags and removals of images that share layers', async () => {
  using engine = new ImageEngine();
  const counts = new Map<string, number>();
  const step = async (random: (below: number) => number): Promise<void> => {
    const index = random(archives.length);
    const name = `storm${index}:1`;
    const kind = ['load', 'load', 'save', 'remove', 'tag', 'list'][random(6)] as string;
    try {
      if (kind === 'load') await engine.load(archives[index] as Uint8Array);
      else if (kind === 'save') expect((await engine.save(name)).length).toBeGreaterThan(10_000);
      else if (kind === 'remove') await engine.images.remove(name, { force: true, noPrune: false });
      else if (kind === 'tag') await engine.images.tag(name, `other${random(3)}`, '1');
      else for (const found of engine.names()) engine.containers.resolve(found === '<none>' ? name : found);
      counts.set(kind, (counts.get(kind) ?? 0) + 1);
    } catch (error) {
      if (!isExpected(error)) throw error;
    }
  };
  await Promise.all(
    Array.from({ length: workers }, async (_, worker) => {
      const random = randomNumbers(worker + 1);
      for (let count = 0; count < steps; count++) await step(random);
    }),
  );
  expect(counts.get('load')).toBeGreaterThan(5);
  expect(counts.get('save')).toBeGreaterThan(0);

  // What is named is whole …
  for (const image of engine.images.list({ all: true, sharedSize: false, filters: new Map() })) {
    for (const diffId of engine.images.inspect(image.Id, { platform: null }).RootFS.Layers ?? []) {
      let length = 0;
      for await (const chunk of engine.store.layerTar(diffId)) length += (chunk as Buffer).length;
      expect(length).toBe(layer('x').length);
    }
  }
  // … and when nothing is named, nothing is left.
  for (const image of engine.images.list({ all: true, sharedSize: false, filters: new Map() }))
    await engine.images.remove(image.Id, { force: true, noPrune: false });
  await until('everything to be gone', () =>
    [engine.paths.layers, engine.paths.blobs, engine.paths.temporary].every((path) => readdirSync(path).length === 0),
  );
  for (const table of ['layers', 'blobs', 'documents', 'images', 'image_layers', 'tags'])
    expect(engine.database.sql.query(`SELECT * FROM ${table}`).all()).toEqual([]);
  expect(engine.warnings).toEqual([]);
}, 180_000);
