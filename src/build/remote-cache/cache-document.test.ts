import { describe, expect, test } from 'bun:test';
import { sha256 } from '../../oci/digest.ts';
import { type CacheDocument, decodeCache, encodeCache, inlineCache, withInlineCache } from './cache-document.ts';

const layerOf = (name: string): string => sha256(`layer ${name}`);
const keyOf = (name: string): string => sha256(`key ${name}`);

const document: CacheDocument = {
  layers: new Map([
    [layerOf('b'), sha256('blob b')],
    [layerOf('a'), null],
  ]),
  steps: new Map([
    [keyOf('b'), { layer: layerOf('b'), upon: sha256('a'), created: 1_700_000_000_123 }],
    [keyOf('a'), { layer: layerOf('a'), upon: null, created: 0 }],
  ]),
  contents: new Map([[sha256('question'), sha256('answer')]]),
};

function json(change: (value: Record<string, unknown>) => void): Uint8Array {
  const value = JSON.parse(Buffer.from(encodeCache(document)).toString()) as Record<string, unknown>;
  change(value);
  return Buffer.from(JSON.stringify(value));
}

describe('a cache as a document', () => {
  test('comes back as it was', () => {
    const read = decodeCache(encodeCache(document));
    expect(new Map(read.layers)).toEqual(new Map(document.layers));
    expect(new Map(read.steps)).toEqual(new Map(document.steps));
    expect(new Map(read.contents)).toEqual(new Map(document.contents));
  });

  test('is the same whatever order things were done in', () => {
    const turned = {
      layers: new Map([...document.layers].reverse()),
      steps: new Map([...document.steps].reverse()),
      contents: document.contents,
    };
    expect(encodeCache(turned)).toEqual(encodeCache(document));
  });

  test('stands in the config of an image, which keeps the rest', () => {
    const config = Buffer.from('{"architecture":"amd64","rootfs":{}}');
    expect(withInlineCache(config, null)).toBe(config);
    const with_ = withInlineCache(config, document);
    expect(JSON.parse(Buffer.from(with_).toString())).toMatchObject({ architecture: 'amd64', rootfs: {} });
    expect(inlineCache(with_)?.steps.size).toBe(2);
    expect(inlineCache(config)).toBeNull();
  });

  test.each<[string, Uint8Array]>([
    ['nothing', new Uint8Array(0)],
    ['no JSON', Buffer.from('garbage')],
    ['a list', Buffer.from('[]')],
    ['no field', Buffer.from('{}')],
    ['another version', json((value) => (value['version'] = 2))],
    ['half of it', encodeCache(document).slice(0, 60)],
    ['layers as an object', json((value) => (value['layers'] = {}))],
    ['a layer that is a path', json((value) => (value['layers'] = [['../../etc/passwd', null]]))],
    ['a blob of another kind', json((value) => (value['layers'] = [[layerOf('a'), 'md5:1']]))],
    ['a step of no layer', json((value) => (value['steps'] = [[keyOf('a'), 7, 0, null]]))],
    ['a step of a layer by name', json((value) => (value['steps'] = [[keyOf('a'), 'length', 0, null]]))],
    ['a step of layer -1', json((value) => (value['steps'] = [[keyOf('a'), -1, 0, null]]))],
    ['a time that no date can have', json((value) => (value['steps'] = [[keyOf('a'), 0, 8.64e15 + 1, null]]))],
    ['a time with a fraction', json((value) => (value['steps'] = [[keyOf('a'), 0, 1.5, null]]))],
    ['a step upon nothing of the kind', json((value) => (value['steps'] = [[keyOf('a'), 0, 0, 'x']]))],
    ['a key that is none', json((value) => (value['steps'] = [['__proto__', 0, 0, null]]))],
    ['contents as text', json((value) => (value['contents'] = ['x']))],
    ['an answer that is none', json((value) => (value['contents'] = [[sha256('q'), null]]))],
  ])('%s is none', (_name, bytes) => {
    expect(() => decodeCache(bytes)).toThrow('build cache');
  });

  test('mutations are read or fail in words', () => {
    const good = encodeCache(document);
    for (let at = 0; at < good.length; at++)
      for (const value of [0, 0x22, 0x2d, 0x39, 0x5b, 0xff]) {
        const bad = Uint8Array.from(good);
        bad[at] = value;
        try {
          decodeCache(bad);
        } catch (error) {
          expect((error as { kind?: string }).kind).toBe('invalid');
        }
      }
  });
});
