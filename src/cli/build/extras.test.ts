import { describe, expect, test } from 'bun:test';
import { ExitStatus } from '../command.ts';
import { type ExtrasWish, readExtras } from './extras.ts';

const nothing: ExtrasWish = {
  annotation: [],
  attest: [],
  provenance: '',
  sbom: '',
  metadata: false,
  fields: new Map(),
};

const read = (wish: Partial<ExtrasWish>, environment = {}) => readExtras({ ...nothing, ...wish }, environment);
const refusal = (wish: Partial<ExtrasWish>): string => {
  try {
    read(wish);
  } catch (error) {
    if (error instanceof ExitStatus) return error.message;
    throw error;
  }
  return '';
};

test('without a flag nothing is wanted', () => {
  expect(read({})).toEqual({
    annotations: [],
    provenance: null,
    sbom: null,
    metadata: null,
    vcs: {},
    ociArtifact: true,
  });
});

describe('annotations', () => {
  test('levels, platforms and keys', () => {
    const annotation = ['a=b=c', 'index,manifest-descriptor[linux/arm64/v8]:k:l=v', ''];
    expect(read({ annotation }).annotations).toEqual([
      { level: 'manifest', platform: '', key: 'a', value: 'b=c' },
      { level: 'index', platform: '', key: 'k:l', value: 'v' },
      { level: 'manifest-descriptor', platform: 'linux/arm64', key: 'k:l', value: 'v' },
    ]);
  });

  test('as fields of an output', () => {
    const fields = new Map([
      ['type', 'image'],
      ['annotation.one', '1'],
      ['annotation-index.two', '2'],
      ['annotation-manifest[linux/amd64].three', '3'],
      ['oci-artifact', 'false'],
    ]);
    const extras = read({ fields });
    expect(extras.annotations).toEqual([
      { level: 'manifest', platform: '', key: 'one', value: '1' },
      { level: 'index', platform: '', key: 'two', value: '2' },
      { level: 'manifest', platform: 'linux/amd64', key: 'three', value: '3' },
    ]);
    expect(extras.ociArtifact).toBe(false);
  });

  test.each([
    ['novalue', 'invalid annotation "novalue", expected key=value'],
    ['blob:a=b', 'unknown annotation type "blob"'],
    ['manifest[:a=b', 'invalid annotation type "manifest[", expected type and optional platform in square brackets'],
    ['manifest[no/such/plat/form]:a=b', 'invalid platform "no/such/plat/form"'],
  ])('%s is refused', (text, words) => {
    expect(refusal({ annotation: [text] })).toContain(`ERROR: failed to build: ${words}`);
  });
});

describe('attestations', () => {
  test.each([
    [{ provenance: 'true' }, {}, null],
    [{ provenance: 'mode=max,version=v0.2' }, { mode: 'max', version: 'v0.2' }, null],
    [{ provenance: 'false', attest: ['type=provenance,mode=min'] }, null, null],
    [{ attest: ['type=provenance', 'type=sbom'], sbom: 'false' }, {}, null],
    [{ sbom: 'true' }, null, {}],
    [{ attest: ['type=sbom', 'type=sbom,disabled=true'] }, null, null],
  ] as const)('%j', (wish, provenance, sbom) => {
    expect(read(wish)).toMatchObject({ provenance, sbom });
  });

  test.each([
    [{ sbom: 'generator=docker/scout-sbom-indexer' }, '--sbom takes no generator'],
    [{ provenance: 'mode=much' }, 'invalid mode "much"'],
    [{ provenance: 'version=v3' }, 'invalid provenance SLSA version: v3'],
    [{ provenance: 'mode=max,reproducible=maybe' }, 'failed to parse reproducible flag "maybe"'],
    [{ attest: ['type=signature'] }, 'unknown attestation type "signature"'],
    [{ attest: ['mode=max'] }, 'attestation type not specified'],
    [{ attest: ['provenance'] }, 'invalid value provenance'],
  ])('%j is refused', (wish, words) => {
    expect(refusal(wish)).toContain(words);
  });

  test.each([
    [undefined, 'min'],
    ['max', 'max'],
    ['disabled', null],
    ['0', null],
  ] as const)('BUILDX_METADATA_PROVENANCE=%s', (value, mode) => {
    expect(read({ metadata: true }, { BUILDX_METADATA_PROVENANCE: value }).metadata).toBe(mode);
  });
});
