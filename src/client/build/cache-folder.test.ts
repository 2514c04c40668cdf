import { afterAll, describe, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CacheFolder } from './cache-folder.ts';

const root = mkdtempSync(join(tmpdir(), 'berth-cache-folder-'));
afterAll(() => rmSync(root, { recursive: true }));

const digestOf = (text: string): string => `sha256:${createHash('sha256').update(text).digest('hex')}`;
const manifest = (text: string) => ({ mediaType: 'application/x', digest: digestOf(text), size: text.length });

async function* pieces(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

async function textOf(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  let text = '';
  for await (const piece of bytes) text += Buffer.from(piece).toString();
  return text;
}

const fresh = (): string => mkdtempSync(join(root, 'folder-'));

describe('a folder with a cache', () => {
  test('blobs go in and come out', async () => {
    const folder = new CacheFolder(join(fresh(), 'made', 'on the way'));
    expect(await folder.has(digestOf('hello'))).toBe(false);
    await folder.write(digestOf('hello'), pieces('hel', 'lo'));
    await folder.write(digestOf('hello'), pieces('hello'));
    expect(await folder.has(digestOf('hello'))).toBe(true);
    expect(await textOf(folder.read(digestOf('hello')))).toBe('hello');
  });

  test('bytes that are not what their digest says leave nothing, nor does a break', async () => {
    const directory = fresh();
    const folder = new CacheFolder(directory);
    await expect(folder.write(digestOf('hello'), pieces('other'))).rejects.toThrow('came with the content');
    const broken = async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.from('hel');
      throw new Error('gone');
    };
    await expect(folder.write(digestOf('hello'), broken())).rejects.toThrow('gone');
    expect(await folder.has(digestOf('hello'))).toBe(false);
    expect(readdirSync(join(directory, 'ingest'))).toEqual([]);
  });

  test('a digest that is a path is none', async () => {
    const folder = new CacheFolder(fresh());
    for (const digest of ['sha256:../../../etc/passwd', '../x', `md5:${'0'.repeat(32)}`, `sha256:${'A'.repeat(64)}`])
      expect(() => folder.read(digest)).toThrow('is no digest');
  });

  test('tags name manifests, each its own', async () => {
    const directory = fresh();
    const folder = new CacheFolder(directory);
    await folder.name('latest', manifest('one'));
    await folder.name('other', manifest('two'));
    await folder.name('latest', manifest('three'));
    expect(await folder.find('latest')).toEqual(manifest('three'));
    expect(await folder.find('other')).toEqual(manifest('two'));
    expect(await folder.find('nobody')).toBeNull();
    expect(JSON.parse(readFileSync(join(directory, 'oci-layout'), 'utf8'))).toEqual({ imageLayoutVersion: '1.0.0' });
    expect(readdirSync(directory).sort()).toEqual(['index.json', 'oci-layout']);
  });

  test('two at once lose nothing', async () => {
    const directory = fresh();
    await Promise.all(
      Array.from({ length: 8 }, (_, number) => new CacheFolder(directory).name(`tag-${number}`, manifest(`${number}`))),
    );
    const folder = new CacheFolder(directory);
    for (let number = 0; number < 8; number++)
      expect(await folder.find(`tag-${number}`)).toEqual(manifest(`${number}`));
  });

  test('what a killed client left does not last: its lock, its halves', async () => {
    const directory = fresh();
    const folder = new CacheFolder(directory);
    await folder.write(digestOf('hello'), pieces('hello'));
    for (const path of [join(directory, 'index.json.lock'), join(directory, 'ingest', 'half')]) {
      writeFileSync(path, '');
      utimesSync(path, 1, 1);
    }
    await folder.name('latest', manifest('one'));
    expect(await folder.find('latest')).toEqual(manifest('one'));
    expect(readdirSync(directory).sort()).toEqual(['blobs', 'index.json', 'ingest', 'oci-layout']);
    expect(readdirSync(join(directory, 'ingest'))).toEqual([]);
  });

  test('a folder that is none says so', async () => {
    await expect(new CacheFolder('/nope').find('latest')).rejects.toThrow('ENOENT');
    const directory = fresh();
    writeFileSync(join(directory, 'index.json'), '{}');
    await expect(new CacheFolder(directory).find('latest')).rejects.toThrow('no manifests');
    writeFileSync(join(directory, 'index.json'), '{"manifests":[null,1,{"digest":3}]}');
    expect(await new CacheFolder(directory).find('latest')).toBeNull();
  });
});
