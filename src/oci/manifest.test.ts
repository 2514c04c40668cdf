import { describe, expect, test } from 'bun:test';
import { chainIds, parseImageConfig } from './image-config.ts';
import { parseManifest } from './manifest.ts';
import { layerCompression, mediaTypes } from './media-types.ts';
import { choosePlatform, formatPlatform, parsePlatform } from './platform.ts';

const digest = `sha256:${'1'.repeat(64)}`;
const descriptor = { mediaType: mediaTypes.ociConfig, digest, size: 3 };
const bytes = (value: unknown) => new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));

describe('manifests', () => {
  test('OCI and Docker ones, index and image', () => {
    for (const mediaType of [mediaTypes.ociManifest, mediaTypes.dockerManifest]) {
      const parsed = parseManifest(bytes({ schemaVersion: 2, mediaType, config: descriptor, layers: [descriptor] }));
      expect(parsed).toMatchObject({ kind: 'manifest', manifest: { mediaType, layers: [{ digest, size: 3 }] } });
    }
    const index = parseManifest(
      bytes({
        schemaVersion: 2,
        manifests: [{ ...descriptor, platform: { os: 'linux', architecture: 'arm64', variant: 'v8' } }],
      }),
    );
    expect(index).toMatchObject({ kind: 'index', index: { mediaType: mediaTypes.ociIndex } });
  });

  const bad: [string, unknown, string][] = [
    ['no JSON', '{', 'invalid manifest'],
    ['no object', '[]', 'no JSON object'],
    ['schema 1', { schemaVersion: 1 }, 'schema 1'],
    ['version 3', { schemaVersion: 3 }, 'unsupported schema version 3'],
    ['two kinds', { schemaVersion: 2, config: descriptor, layers: [], manifests: [] }, 'both layers and manifests'],
    ['an index in disguise', { schemaVersion: 2, mediaType: mediaTypes.ociManifest, manifests: [] }, 'calls itself'],
    ['no config', { schemaVersion: 2, layers: [] }, 'config is no descriptor'],
    ['bad digest', { schemaVersion: 2, config: { ...descriptor, digest: 'sha256:../../x' } }, 'valid digest'],
    ['negative size', { schemaVersion: 2, config: { ...descriptor, size: -1 } }, 'valid size'],
    ['huge size', { schemaVersion: 2, config: { ...descriptor, size: 1e300 } }, 'valid size'],
    ['layers no list', { schemaVersion: 2, config: descriptor, layers: {} }, 'layers is no list'],
  ];
  test.each(bad)('refused: %s', (_name, value, message) => {
    expect(() => parseManifest(bytes(value))).toThrow(message);
  });
});

describe('image config', () => {
  test('keeps what it does not know', () => {
    const config = parseImageConfig(
      bytes({ os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: [digest] }, extra: 1 }),
    );
    expect(config).toMatchObject({ extra: 1, rootfs: { diff_ids: [digest] }, history: [] });
  });
  const bad: [string, unknown][] = [
    ['no rootfs', {}],
    ['diff id', { rootfs: { type: 'layers', diff_ids: ['x'] } }],
    ['Env', { rootfs: { type: 'layers' }, config: { Env: 'A=b' } }],
    ['Labels', { rootfs: { type: 'layers' }, config: { Labels: { a: 1 } } }],
    ['os', { rootfs: { type: 'layers' }, os: 3 }],
  ];
  test.each(bad)('refused: %s', (_name, value) => {
    expect(() => parseImageConfig(bytes(value))).toThrow('invalid image config');
  });
  test('chain ids as the specification defines them', () => {
    // printf '%s %s' sha256:1… sha256:1… | sha256sum
    expect(chainIds([digest, digest])[1]).toBe(
      `sha256:${new Bun.CryptoHasher('sha256').update(`${digest} ${digest}`).digest('hex')}`,
    );
    expect(chainIds([])).toEqual([]);
  });
});

describe('platforms', () => {
  const host = { os: 'linux', architecture: 'amd64' };
  const entry = (text: string) => {
    const [os = '', architecture = '', variant] = text.split('/');
    return { name: text, platform: { os, architecture, ...(variant && { variant }) } };
  };
  const cases: [wanted: string, offered: string[], chosen: string | undefined][] = [
    ['linux/amd64', ['linux/arm64', 'linux/amd64'], 'linux/amd64'],
    ['linux/amd64', ['linux/386', 'linux/amd64/v1'], 'linux/amd64/v1'],
    ['linux/amd64', ['linux/386'], 'linux/386'],
    ['linux/amd64', ['linux/amd64/v3'], undefined],
    ['linux/amd64/v3', ['linux/amd64', 'linux/amd64/v2'], 'linux/amd64/v2'],
    ['linux/amd64', ['unknown/unknown', 'windows/amd64'], undefined],
    ['linux/arm64', ['linux/arm64/v8'], 'linux/arm64/v8'],
    ['linux/arm/v6', ['linux/arm/v7', 'linux/arm/v5'], 'linux/arm/v5'],
    ['linux/arm', ['linux/arm/v6', 'linux/arm/v7'], 'linux/arm/v7'],
    ['arm64', ['linux/amd64', 'linux/arm64'], 'linux/arm64'],
  ];
  test.each(cases)('%s of %p is %p', (wanted, offered, chosen) => {
    expect(choosePlatform(offered.map(entry), parsePlatform(wanted, host))?.name).toBe(chosen);
  });
  test('spelling', () => {
    expect(formatPlatform(parsePlatform('linux/x86_64', host))).toBe('linux/amd64');
    expect(formatPlatform(parsePlatform('linux/aarch64/v8', host))).toBe('linux/arm64');
    expect(formatPlatform(parsePlatform('armhf', host))).toBe('linux/arm/v7');
    expect(() => parsePlatform('what', host)).toThrow('unknown operating system or architecture');
    expect(() => parsePlatform('linux/a b', host)).toThrow(
      '"a b" is an invalid component of "linux/a b": platform specifier component must match "^[A-Za-z0-9_.-]+$"',
    );
    expect(() => parsePlatform('a b', host)).toThrow(
      '"a b" is an invalid OS component of "a b": OSAndVersion specifier component must match "^([A-Za-z0-9_-]+)(?:\\\\(',
    );
    expect(() => parsePlatform('a/b/c/d', host)).toThrow('cannot parse platform specifier');
  });
});

test('compression of layer types', () => {
  expect(layerCompression(mediaTypes.dockerLayerGzip)).toBe('gzip');
  expect(layerCompression(mediaTypes.ociLayerZstd)).toBe('zstd');
  expect(layerCompression(mediaTypes.ociLayer)).toBe('none');
  expect(layerCompression(`${mediaTypes.ociLayerGzip}+encrypted`)).toBeNull();
  expect(layerCompression('application/octet-stream')).toBeNull();
});

test('a document of brackets is refused before it is parsed; brackets in a text are none', () => {
  const many = 200_001;
  expect(() => parseManifest(bytes(`${'['.repeat(many)}${']'.repeat(many)}`))).toThrow('lists and objects');
  expect(() => parseManifest(bytes(`{"a":[${'{},'.repeat(many)}1]}`))).toThrow('lists and objects');
  const note = `\\"${'[{'.repeat(many)}`;
  const document = { schemaVersion: 2, config: descriptor, layers: [], annotations: { note } };
  expect(parseManifest(bytes(document))).toMatchObject({ manifest: { annotations: { note } } });
});
