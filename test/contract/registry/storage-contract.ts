/** What every place for a registry's bytes and facts must do; one run for each implementation. */
import { describe, expect, test } from 'bun:test';
import type {
  BlobStorage,
  ManifestFacts,
  RegistryIndex,
  SearchOrder,
  Showcase,
} from '../../../src/registry-server/storage/types.ts';
import { until } from '../../support/until.ts';
import { digestOf, someBytes } from './client.ts';

async function* pieces(...all: Uint8Array[]): AsyncIterable<Uint8Array> {
  for (const piece of all) yield piece;
}

async function collected(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of source) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

export function blobStorageContract(name: string, open: () => Promise<BlobStorage>): void {
  describe(`blobs: ${name}`, () => {
    test('begin, append, finish, read', async () => {
      const blobs = await open();
      const bytes = someBytes(700_000);
      const id = await blobs.begin();
      expect(await blobs.uploaded(id)).toBe(0);
      expect(await blobs.append(id, pieces(bytes.subarray(0, 1), bytes.subarray(1, 300_000)))).toBe(300_000);
      expect(await blobs.append(id, pieces(bytes.subarray(300_000)))).toBe(700_000);
      const digest = digestOf(bytes);
      expect(await blobs.size(digest)).toBeNull();
      expect(await blobs.finish(id, digest)).toBe(700_000);
      expect([await blobs.uploaded(id), await blobs.size(digest)]).toEqual([null, 700_000]);
      expect(digestOf(await collected(blobs.read(digest, { start: 0, end: 699_999 })))).toBe(digest);
      expect(await collected(blobs.read(digest, { start: 5, end: 9 }))).toEqual(Buffer.from(bytes.subarray(5, 10)));
      expect(await Array.fromAsync(blobs.all())).toEqual([digest]);
    });

    test('other bytes are refused and gone', async () => {
      const blobs = await open();
      const id = await blobs.begin();
      await blobs.append(id, pieces(someBytes(10)));
      await expect(blobs.finish(id, digestOf('x'))).rejects.toMatchObject({ code: 'DIGEST_INVALID' });
      expect(await blobs.uploaded(id)).toBeNull();
    });

    test('what came before a break is kept, and the digest is still right', async () => {
      const blobs = await open();
      const bytes = someBytes(400_000);
      const id = await blobs.begin();
      async function* broken(): AsyncIterable<Uint8Array> {
        yield bytes.subarray(0, 200_000);
        throw new Error('gone');
      }
      await expect(blobs.append(id, broken())).rejects.toThrow('gone');
      expect(await blobs.uploaded(id)).toBe(200_000);
      await blobs.append(id, pieces(bytes.subarray(200_000)));
      expect(await blobs.finish(id, digestOf(bytes, 'sha512'))).toBe(400_000);
    });

    test('a reader follows an upload as it grows, and beyond its end', async () => {
      const blobs = await open();
      const bytes = someBytes(500_000);
      const id = await blobs.begin();
      const growing = await blobs.openGrowing(id);
      const leave = growing.hold();
      const sizes: number[] = [];
      await blobs.append(id, pieces(bytes), (size) => sizes.push(size));
      expect(sizes.at(-1)).toBe(500_000);
      await blobs.finish(id, digestOf(bytes));
      growing.release();
      expect(Buffer.from(await growing.read(100, 200))).toEqual(Buffer.from(bytes.subarray(100, 200)));
      leave?.();
      expect(growing.hold()).toBeNull();
    });

    test('cancel, remove, and names that are none', async () => {
      const blobs = await open();
      const id = await blobs.begin();
      expect(await blobs.idleUploads(Date.now() + 1000)).toContain(id);
      expect(await blobs.idleUploads(0)).toEqual([]);
      await blobs.cancel(id);
      await blobs.cancel(id);
      for (const wrong of [id, '../blobs', '', 'x']) {
        expect(await blobs.uploaded(wrong)).toBeNull();
        await expect(blobs.append(wrong, pieces())).rejects.toMatchObject({ code: 'BLOB_UPLOAD_UNKNOWN' });
      }
      await blobs.remove(digestOf('never there'));
    });
  });
}

const facts: ManifestFacts = { blobs: [], manifests: [], subject: null, artifactType: '', annotations: null };

function document(text: string): { digest: string; mediaType: string; bytes: Uint8Array } {
  return { digest: digestOf(text), mediaType: 'application/json', bytes: new TextEncoder().encode(text) };
}

export function registryIndexContract(name: string, open: () => Promise<RegistryIndex>): void {
  const everything = { last: '', limit: 100 };

  describe(`index: ${name}`, () => {
    test('manifests, tags, and what they need', async () => {
      const index = await open();
      const [one, two] = [document('{"n":1}'), document('{"n":2}')];
      const layer = digestOf('layer');
      const needs = { ...facts, blobs: [layer] };
      const put = index.putManifest('a/b', one, { tag: 'v1', facts: needs, mayBeSparse: false });
      await expect(put).rejects.toMatchObject({ code: 'MANIFEST_BLOB_UNKNOWN', detail: { digest: layer } });
      expect(await index.repositories(everything, null)).toEqual([]);
      await index.linkBlob('a/b', layer, 5);
      await index.putManifest('a/b', one, { tag: 'v1', facts: needs, mayBeSparse: false });
      await index.putManifest('a/b', two, { tag: 'v2', facts, mayBeSparse: false });
      await index.putManifest('a/b', two, { tag: 'v1', facts, mayBeSparse: false });
      expect((await index.manifest('a/b', 'v1'))?.digest).toBe(two.digest);
      expect(Buffer.from((await index.manifest('a/b', one.digest))?.bytes ?? []).toString()).toBe('{"n":1}');
      expect(await index.manifest('a/c', one.digest)).toBeNull();
      // What was read before is not what counts after.
      await index.putManifest('a/b', one, { tag: 'v1', facts: needs, mayBeSparse: false });
      expect((await index.manifest('a/b', 'v1'))?.digest).toBe(one.digest);
      expect(await index.tags('a/b', everything)).toEqual(['v1', 'v2']);
      expect(await index.tags('a/b', { last: 'v1', limit: 1 })).toEqual(['v2']);
      expect(await index.tags('none', everything)).toBeNull();
      expect([await index.deleteTag('a/b', 'v1'), await index.deleteTag('a/b', 'v1')]).toEqual([true, false]);
      expect(await index.manifest('a/b', 'v1')).toBeNull();
      for (const name of ['v2', two.digest]) expect((await index.manifest('a/b', name))?.digest).toBe(two.digest);
      expect([await index.deleteManifest('a/b', two.digest), await index.deleteManifest('a/b', two.digest)]).toEqual([
        true,
        false,
      ]);
      for (const name of ['v2', two.digest]) expect(await index.manifest('a/b', name)).toBeNull();
      expect(await index.tags('a/b', everything)).toEqual([]);
    });

    test('blobs belong to repositories', async () => {
      const index = await open();
      const digest = digestOf('blob');
      await index.linkBlob('one', digest, 7);
      expect([await index.blob('one', digest), await index.blob('two', digest)]).toEqual([7, null]);
      expect(await index.findBlob(digest, null)).toBe('one');
      expect(await index.findBlob(digest, (repository) => repository !== 'one')).toBeNull();
      expect([await index.isUnused(digest), await index.unlinkBlob('one', digest)]).toEqual([false, true]);
      expect([await index.isUnused(digest), await index.unlinkBlob('one', digest)]).toEqual([true, false]);
    });

    test('collection takes what no manifest needs, and nothing of a push under way', async () => {
      const index = await open();
      const [needed, loose] = [digestOf('needed'), digestOf('loose')];
      for (const digest of [needed, loose]) await index.linkBlob('r', digest, 1);
      await index.putManifest('r', document('{}'), {
        tag: null,
        facts: { ...facts, blobs: [needed] },
        mayBeSparse: false,
      });
      expect(await index.collectLinks(Date.now() - 60_000)).toEqual([]);
      // Somebody began before the blobs came: they are part of that push.
      const other = await open();
      await other.openUpload('u', 'r');
      const before = Date.now();
      await until('the next millisecond', () => Date.now() > before);
      for (const digest of [needed, loose]) await other.linkBlob('r', digest, 1);
      expect(await other.collectLinks(Date.now() + 60_000)).toEqual([]);
      await other.closeUpload('u');
      expect((await other.collectLinks(Date.now() + 60_000)).sort()).toEqual([needed, loose].sort());
      expect(await index.collectLinks(Date.now() + 60_000)).toEqual([loose]);
    });

    test('uploads have a repository', async () => {
      const index = await open();
      await index.openUpload('id', 'r');
      expect([await index.uploadRepository('id'), await index.uploadRepository('no')]).toEqual(['r', null]);
      expect(await index.openUploads(Date.now() + 1000)).toEqual(['id']);
      // It stays as long as the upload, though nothing else is in it.
      expect(await index.collectLinks(Date.now() + 1000)).toEqual([]);
      expect(await index.uploadRepository('id')).toBe('r');
      await index.closeUpload('id');
      expect(await index.uploadRepository('id')).toBeNull();
    });

    test('referrers, with and without a type', async () => {
      const index = await open();
      const subject = digestOf('subject');
      const own = { ...facts, subject, artifactType: 'x/y', annotations: { a: 'b' } };
      await index.putManifest('r', document('{"s":1}'), { tag: null, facts: own, mayBeSparse: false });
      const page = { subject, artifactType: '', last: '', mostBytes: 1_000_000 };
      const found = await index.referrers('r', page);
      expect(found).toMatchObject({
        referrers: [{ artifactType: 'x/y', annotations: { a: 'b' }, size: 7 }],
        hasMore: false,
      });
      expect((await index.referrers('r', { ...page, artifactType: 'x/y' })).referrers).toHaveLength(1);
      expect((await index.referrers('r', { ...page, artifactType: 'other' })).referrers).toEqual([]);
      expect((await index.referrers('q', page)).referrers).toEqual([]);
    });

    test('referrers page by page, by what they weigh', async () => {
      const index = await open();
      const subject = digestOf('subject');
      const texts = ['{"s":1}', '{"s":2}', '{"s":3}'];
      for (const text of texts)
        await index.putManifest('r', document(text), {
          tag: null,
          facts: { ...facts, subject, artifactType: 'x/y', annotations: { a: 'b'.repeat(1000) } },
          mayBeSparse: false,
        });
      const pages: string[][] = [];
      for (let last = '', isLast = false; !isLast; ) {
        const { referrers, hasMore } = await index.referrers('r', {
          ...{ subject, artifactType: '', last },
          mostBytes: pages.length === 0 ? 2500 : 1,
        });
        pages.push(referrers.map(({ digest }) => digest));
        last = referrers.at(-1)?.digest ?? '';
        isLast = !hasMore;
      }
      const [one, two, three] = texts.map((text) => digestOf(text)).toSorted();
      expect(pages).toEqual([[one, two], [three]] as string[][]);
    });

    test('pages, search, stars and descriptions', async () => {
      const index = await open();
      for (const repository of ['b', 'a/x', 'a', 'c_d']) {
        await index.putManifest(repository, document('{}'), { tag: 'v1', facts, mayBeSparse: false });
        await aMillisecond();
      }
      expect(await index.repositories({ last: '', limit: 3 }, null)).toEqual(['a', 'a/x', 'b']);
      expect(await index.repositories({ last: 'b', limit: 3 }, null)).toEqual(['c_d']);
      expect(await index.repositories(everything, (repository) => !repository.startsWith('a'))).toEqual(['b', 'c_d']);
      expect([await index.describe('b', 'has an a'), await index.describe('none', 'x')]).toEqual([true, false]);
      await index.star('b', 'me', true);
      await index.star('b', 'me', true);
      const found = await index.search('a', { offset: 0, limit: 10 }, null);
      expect(found.results.map(({ name: found }) => found)).toEqual(['a', 'b', 'a/x']);
      expect(found.results[1]).toEqual({
        ...{ name: 'b', description: 'has an a', stars: 1, pulls: 0 },
        pushed: expect.any(Number),
      });
      expect(await index.search('_', { offset: 0, limit: 10 }, null)).toMatchObject({ count: 1 });
      expect(await index.search('', { offset: 1, limit: 1 }, (repository) => repository !== 'b')).toMatchObject({
        count: 3,
      });
      expect([await index.setReadme('b', '# B'), await index.setReadme('none', 'x')]).toEqual([true, false]);
      expect([await index.readme('b'), await index.readme('a')]).toEqual(['# B', '']);
      const first = async (order: SearchOrder): Promise<string | undefined> =>
        (await index.search('', { offset: 0, limit: 1, order }, null)).results[0]?.name;
      expect([await first('match'), await first('stars'), await first('pushed')]).toEqual(['b', 'b', 'c_d']);
      index.countPull('c_d');
      await index.collectLinks(0);
      expect(await first('pulls')).toBe('c_d');
      index.countPull('b');
      expect(await index.summary('b')).toMatchObject({ pulls: 1 });
      await index.star('b', 'me', false);
      expect((await index.summary('b'))?.stars).toBe(0);
    });

    test('a repository goes as a whole, and another with the same manifests stays', async () => {
      const index = await open();
      for (const [repository, most] of [
        ['gone', 210],
        ['stays', 2],
      ] as const)
        for (let number = 0; number < most; number++)
          await index.putManifest(repository, document(`{"${number}":0}`), {
            ...{ tag: `v${number}`, facts, mayBeSparse: true },
          });
      await index.describe('gone', 'text');
      await index.star('gone', 'me', true);
      expect(await index.manifest('gone', 'v1')).not.toBeNull();
      expect([await index.deleteRepository('gone'), await index.deleteRepository('none')]).toEqual([true, false]);
      expect([await index.summary('gone'), await index.manifest('gone', 'v1')]).toEqual([null, null]);
      expect(await index.repositories(everything, null)).toEqual(['stays']);
      expect(await index.manifest('stays', 'v1')).not.toBeNull();
      await index.putManifest('gone', document('{}'), { tag: 'v1', facts, mayBeSparse: true });
      expect(await index.summary('gone')).toMatchObject({ description: '', stars: 0 });
      expect(await index.tags('gone', everything)).toEqual(['v1']);
    });

    test('mirrored tags follow, pushed ones do not', async () => {
      const index = await open();
      await index.putManifest('m', document('{}'), { tag: 'v1', facts, mayBeSparse: true });
      expect(await index.isMirrored('m', 'v1')).toBe(false);
      await index.markMirrored('m', 'v1');
      expect(await index.isMirrored('m', 'v1')).toBe(true);
      await index.putManifest('m', document('{"own":1}'), { tag: 'v1', facts, mayBeSparse: true });
      expect(await index.isMirrored('m', 'v1')).toBe(false);
    });
  });
}

/** What is noted next is noted as later. */
async function aMillisecond(): Promise<void> {
  const now = Date.now();
  while (Date.now() === now) await new Promise((resolve) => setImmediate(resolve));
}

export function showcaseContract(
  name: string,
  open: () => Promise<{ index: RegistryIndex; showcase: Showcase }>,
): void {
  const facts: ManifestFacts = { blobs: [], manifests: [], subject: null, artifactType: '', annotations: null };
  const all = { offset: 0, limit: 10 };

  describe(`showcase: ${name}`, () => {
    test('repositories: the newest, the most starred, those of a namespace', async () => {
      const { index, showcase } = await open();
      for (const repository of ['a/one', 'a/two', 'a/two/deep', 'a0/other', 'b', 'library/c']) {
        await index.putManifest(repository, someManifest(repository), { tag: 'v1', facts, mayBeSparse: true });
        await aMillisecond();
      }
      await index.linkBlob('a/unseen', digestOf('x'), 1);
      const names = (found: { name: string }[]): string[] => found.map((row) => row.name);
      expect(names(showcase.newest(2, null))).toEqual(['library/c', 'b']);
      expect(names(showcase.newest(9, (repository) => repository.startsWith('a/')))).toEqual([
        'a/two/deep',
        'a/two',
        'a/one',
      ]);
      expect(showcase.mostStarred(9, null)).toEqual([]);
      for (const [repository, user] of [
        ['b', 'x'],
        ['a/one', 'x'],
        ['a/one', 'y'],
      ] as const)
        await index.star(repository, user, true);
      expect(showcase.mostStarred(9, null)).toMatchObject([
        { name: 'a/one', stars: 2 },
        { name: 'b', stars: 1 },
      ]);
      expect(names(showcase.mostStarred(1, (repository) => repository === 'b'))).toEqual(['b']);
      expect([showcase.isStarred('b', 'x'), showcase.isStarred('b', 'y')]).toEqual([true, false]);
      const own = showcase.ofNamespace('a', { offset: 1, limit: 1 });
      expect([own.count, names(own.results)]).toEqual([3, ['a/two']]);
      expect(names(showcase.ofNamespace('library', all).results).sort()).toEqual(['b', 'library/c']);
      expect(['a', 'a0', 'b', 'z'].map((namespace) => showcase.isTaken(namespace))).toEqual([true, true, false, false]);
      expect([...showcase.repositoryCounts()].sort()).toEqual([
        ['a', 3],
        ['a0', 1],
        ['library', 2],
      ]);
    });

    test('tags: the newest first, filtered, by page; and manifests', async () => {
      const { index, showcase } = await open();
      const [one, two] = [someManifest('1'), someManifest('2')];
      await index.putManifest('r', one, { tag: 'v1', facts, mayBeSparse: true, by: 'alice' });
      await index.putManifest('r', one, { tag: 'V1.1', facts, mayBeSparse: true });
      const whole = { ...facts, manifests: [one.digest] };
      await index.putManifest('r', two, { tag: 'all', facts: whole, mayBeSparse: true, by: 'bob' });
      const { count, results } = showcase.tags('r', '', all);
      expect([count, results.map((tag) => tag.pushedBy)]).toEqual([3, expect.arrayContaining(['alice', 'bob', null])]);
      expect(showcase.tags('r', 'v', all).results).toMatchObject([
        { name: 'v1', digest: one.digest, pushedBy: 'alice' },
      ]);
      expect(showcase.tags('r', '', { offset: 2, limit: 5 }).results).toHaveLength(1);
      expect(showcase.tags('none', '', all)).toEqual({ count: 0, results: [] });
      await index.markMirrored('r', 'all');
      expect([showcase.tag('r', 'all')?.isMirrored, showcase.tag('r', 'v1')?.isMirrored]).toEqual([1, 0]);
      expect(showcase.tag('r', 'v1')?.pushed).toBeGreaterThan(Date.now() - 60_000);
      expect([showcase.tag('r', 'V1'), showcase.tag('none', 'v1')]).toEqual([null, null]);
      expect(showcase.tagsOf('r', one.digest, 9)).toEqual(['V1.1', 'v1']);
      expect([showcase.isPart('r', one.digest), showcase.isPart('r', two.digest)]).toEqual([true, false]);
      expect(showcase.manifest('r', one.digest, 100)).toMatchObject({ digest: one.digest, mediaType: one.mediaType });
      expect([showcase.manifest('other', one.digest, 100), showcase.manifest('r', one.digest, 5)]).toEqual([
        null,
        null,
      ]);
    });
  });
}

function someManifest(text: string): { digest: string; mediaType: string; bytes: Uint8Array } {
  const bytes = Buffer.from(JSON.stringify({ text }));
  return { digest: digestOf(bytes), mediaType: 'application/vnd.some.thing+json', bytes };
}
