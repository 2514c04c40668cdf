import { expect, test } from 'bun:test';
import { mediaTypes } from '../oci/media-types.ts';
import { manifestFacts } from './manifest-facts.ts';

const digest = (letter: string): string => `sha256:${letter.repeat(64)}`;
const facts = (document: object, type: string): ReturnType<typeof manifestFacts> =>
  manifestFacts(new TextEncoder().encode(JSON.stringify(document)), type);
const config = { mediaType: mediaTypes.ociConfig, digest: digest('c'), size: 1 };

test('an image needs its config and its layers, but for those that stay elsewhere', () => {
  const foreign = {
    mediaType: mediaTypes.dockerForeignLayerGzip,
    digest: digest('f'),
    size: 1,
    urls: ['https://elsewhere.example/layer'],
  };
  const layers = [{ mediaType: mediaTypes.ociLayer, digest: digest('a'), size: 1 }, foreign];
  expect(facts({ schemaVersion: 2, config, layers }, mediaTypes.ociManifest)).toEqual({
    blobs: [digest('c'), digest('a')],
    manifests: [],
    subject: null,
    artifactType: mediaTypes.ociConfig,
    annotations: null,
  });
});

test('an artifact says what it is and what it is about', () => {
  const empty = { ...config, mediaType: mediaTypes.ociEmpty };
  const subject = { mediaType: mediaTypes.ociManifest, digest: digest('5'), size: 1 };
  const document = {
    schemaVersion: 2,
    config: empty,
    layers: [],
    subject,
    artifactType: 'a/b',
    annotations: { k: 'v', n: 1 },
  };
  expect(facts(document, mediaTypes.ociManifest)).toMatchObject({
    subject: digest('5'),
    artifactType: 'a/b',
    annotations: { k: 'v' },
  });
  // Without a type of its own it has that of its config, as the specification wants it.
  const untyped = { ...document, artifactType: undefined };
  expect(facts(untyped, mediaTypes.ociManifest).artifactType).toBe(mediaTypes.ociEmpty);
});

test('an index needs its manifests', () => {
  const manifests = [{ mediaType: mediaTypes.ociManifest, digest: digest('a'), size: 1 }];
  expect(facts({ schemaVersion: 2, manifests }, mediaTypes.ociIndex)).toMatchObject({
    blobs: [],
    manifests: [digest('a')],
  });
});

test('what nobody knows is taken as it is', () => {
  expect(facts({ anything: [1, 2] }, 'application/vnd.example+json')).toMatchObject({ blobs: [], manifests: [] });
  expect(() => facts({ mediaType: 'a/b' }, 'c/d')).toThrow('it is sent as c/d and calls itself a/b');
});
