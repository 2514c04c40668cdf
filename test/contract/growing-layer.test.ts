/** A layer that is unpacked while its blob is still on its way: by the real job, however the bytes come. */
import { afterEach, beforeEach, expect, test } from 'bun:test';
import { createHash, randomBytes } from 'node:crypto';
import { appendFileSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import type { LayerJob } from '../../src/archive/jobs/layer.ts';
import { Growth } from '../../src/base/growth.ts';
import { Registries } from '../../src/distribution/registries.ts';
import { RepositorySources } from '../../src/distribution/sources.ts';
import { LayerTransfers } from '../../src/engine/images/layer-transfers.ts';
import { runJob } from '../../src/host/process/job.ts';
import { sha256 } from '../../src/oci/digest.ts';
import { parseReference } from '../../src/oci/reference.ts';
import type { StoredLayer } from '../../src/store/types.ts';
import { ImageEngine } from '../support/image-engine.ts';
import { helperProgram } from '../support/native-helper.ts';
import { TestRegistry } from '../support/registry.ts';
import { SmallDisk } from '../support/small-disk.ts';
import { tar } from '../support/tar.ts';
import { until } from '../support/until.ts';

const content = Buffer.concat([
  randomBytes(700_000),
  Buffer.from(Array.from({ length: 200_000 }, (_, line) => `line ${line}\n`).join('')),
  randomBytes(900_001),
]);
const plain = tar([{ name: 'file', content }]);
const packings: Record<string, Uint8Array> = { plain, gzip: gzipSync(plain), zstd: zstdCompressSync(plain) };

let engine: ImageEngine;
beforeEach(() => {
  engine = new ImageEngine();
});
afterEach(() => {
  engine[Symbol.dispose]();
});

/** Begins to take a blob in out of a file that `write` fills. */
async function ingest(
  blob: Uint8Array,
  write: (file: { path: string; growth: Growth }) => Promise<void>,
  digest = sha256(blob),
): Promise<{ layer: StoredLayer; lower: string }> {
  const path = join(engine.paths.downloads, 'blob');
  writeFileSync(path, '');
  const growth = new Growth(1);
  const lease = await engine.store.lease('test');
  try {
    const taking = engine.store.ingestLayer({
      source: { kind: 'growing', path, growth },
      lease,
      digest,
      size: blob.length,
      diffId: sha256(plain),
    });
    taking.catch(() => undefined);
    await write({ path, growth });
    const layer = await taking;
    return { layer, lower: layer.diff };
  } finally {
    await lease.release();
  }
}

/** Parts of odd sizes, each told. */
async function inParts(blob: Uint8Array, { path, growth }: { path: string; growth: Growth }): Promise<void> {
  const sizes = [1, 5, 70_000, 131_072, 3, 200_001, 16_384, 2];
  for (let at = 0, turn = 0; at < blob.length; turn++) {
    const end = Math.min(blob.length, at + (sizes[turn % sizes.length] as number));
    appendFileSync(path, blob.subarray(at, end));
    at = end;
    growth.reach(at);
    // A turn of the loop, for whoever reads.
    await setImmediate();
  }
  growth.complete();
}

test.each(Object.keys(packings))('%s, in parts of any size', async (packing) => {
  const blob = packings[packing] as Uint8Array;
  const { lower } = await ingest(blob, (file) => inParts(blob, file));
  expect(readFileSync(join(lower, 'file')).equals(content)).toBe(true);
});

test('one that begins again half way', async () => {
  const blob = packings['gzip'] as Uint8Array;
  const { lower } = await ingest(blob, async (file) => {
    appendFileSync(file.path, blob.subarray(0, 500_000));
    file.growth.reach(500_000);
    truncateSync(file.path);
    file.growth.reach(0);
    await inParts(blob, file);
  });
  expect(readFileSync(join(lower, 'file')).equals(content)).toBe(true);
});

test.each(Object.keys(packings))(
  '%s that is not what its digest says: that is the reason, whatever else is wrong',
  async (packing) => {
    const blob = Uint8Array.from(packings[packing] as Uint8Array);
    const digest = sha256(blob);
    blob.fill(7, 300, 600);
    const taking = ingest(blob, (file) => inParts(blob, file), digest);
    await expect(taking).rejects.toMatchObject({
      kind: 'invalid',
      code: 'digest-mismatch',
      message: `filesystem layer verification failed for digest ${digest}`,
    });
    expect(readdirSync(engine.paths.temporary)).toEqual([]);
    expect(readdirSync(engine.paths.layers)).toEqual([]);
  },
);

test('a disk that is full while a layer comes: told at once, nothing stays, the next one goes well', async () => {
  const disk = await SmallDisk.make({ bytes: 48 * 1024 * 1024 });
  const small = new ImageEngine(disk.path);
  const registry = await TestRegistry.start();
  try {
    const transfers = new LayerTransfers({ store: small.store, directory: small.paths.downloads, firstPause: 5 });
    const pull = async (size: number): Promise<StoredLayer> => {
      const tree = tar([{ name: 'big', content: Buffer.alloc(size, 'abcdefgh') }]);
      const blob = gzipSync(tree, { level: 1 });
      const digest = sha256(blob);
      registry.blobs.set(digest, blob);
      const reference = parseReference(`${registry.host}/app/one:v1`);
      const sources = new RepositorySources(reference, { registries: new Registries(), credentials: null });
      return transfers.fetch({
        layer: { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest, size: blob.length },
        diffId: sha256(tree),
        sources,
        signal: new AbortController().signal,
        report: () => undefined,
      });
    };
    await expect(pull(80 * 1024 * 1024)).rejects.toThrow('no space left on device');
    await until('what it had begun to go', () => readdirSync(small.paths.temporary).length === 0);
    expect(readdirSync(small.paths.layers)).toEqual([]);
    expect((await pull(1024 * 1024)).size).toBe(1024 * 1024);
  } finally {
    await registry.stop();
    small.stop();
    await disk.remove();
  }
});

test('a layer with long files comes out as it went in', async () => {
  const long = tar([
    { name: 'one', content: randomBytes(17 * 1024 * 1024) },
    { name: 'two', content: randomBytes(40 * 1024 * 1024 + 1) },
  ]);
  const lease = await engine.store.lease('test');
  try {
    const stream = Readable.from([Buffer.from(long)], { objectMode: false });
    const { diffId } = await engine.store.ingestLayer({
      source: { kind: 'stream', stream },
      lease,
      digest: null,
      size: null,
      diffId: null,
    });
    expect(diffId).toBe(sha256(long));
    const again = createHash('sha256');
    let length = 0;
    for await (const chunk of engine.store.layerTar(diffId)) {
      again.update(chunk);
      length += chunk.length;
    }
    expect([length, `sha256:${again.digest('hex')}`]).toEqual([long.length, diffId]);
  } finally {
    await lease.release();
  }
});

test('a job that begins when the next engine has cleaned up makes nothing', async () => {
  const path = join(engine.paths.downloads, 'blob');
  writeFileSync(path, plain);
  const job: LayerJob = {
    helper: helperProgram(),
    directory: join(engine.paths.temporary, 'layer-gone', 'one'),
    source: { kind: 'file', path },
    ...{ keepBlob: false, digest: null, length: null, diffId: null },
  };
  await expect(runJob('layer', job, {})).rejects.toThrow('ENOENT');
  expect(readdirSync(engine.paths.temporary)).toEqual([]);
});
