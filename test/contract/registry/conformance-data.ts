/** What the conformance suite of the OCI Distribution Specification pushes, written anew: blobs and manifests of one data set. */
import { gzipSync } from 'node:zlib';
import { digestOf, emptyType, indexType, manifestType, someBytes } from './client.ts';

export interface Document {
  digest: string;
  mediaType: string;
  text: string;
  tags: string[];
  /** As a list of referrers describes it, and the manifest that it refers to. */
  refers: { subject: string; artifactType: string; annotations: Record<string, string> | undefined } | null;
}

interface Descriptor {
  mediaType: string;
  digest: string;
  size: number;
  [more: string]: unknown;
}

interface ImageOptions {
  tags?: string[];
  layers?: number;
  layerType?: string;
  layerBytes?: Uint8Array<ArrayBuffer>;
  isPacked?: boolean;
  config?: { mediaType: string; text: string };
  /** Of every descriptor. */
  withData?: boolean;
  /** Descriptors of layers that are not pushed. */
  elsewhere?: Descriptor[];
  artifactType?: string;
  subject?: Descriptor;
  annotations?: Record<string, string>;
  more?: object;
}

const layerType = 'application/vnd.oci.image.layer.v1.tar';
const configType = 'application/vnd.oci.image.config.v1+json';
export const artifactOne = 'application/vnd.example.one+json';
const artifactTwo = 'application/vnd.example.two+json';
const usualPlatforms = ['amd64', 'arm64'];

export class DataSet {
  readonly #algorithm: string;
  readonly blobs = new Map<string, Uint8Array<ArrayBuffer>>();
  /** What is named comes before what names it. */
  readonly documents: Document[] = [];

  constructor(algorithm = 'sha256') {
    this.#algorithm = algorithm;
  }

  blob(mediaType: string, bytes: Uint8Array<ArrayBuffer>): Descriptor {
    const digest = digestOf(bytes, this.#algorithm);
    this.blobs.set(digest, bytes);
    return { mediaType, digest, size: bytes.length };
  }

  image(options: ImageOptions = {}): Descriptor {
    const { layers: count = 2, isPacked = true, config, withData, artifactType, subject, annotations } = options;
    const data = (descriptor: Descriptor): Descriptor =>
      withData
        ? { ...descriptor, data: Buffer.from(this.blobs.get(descriptor.digest) ?? []).toString('base64') }
        : descriptor;
    const layers = Array.from({ length: count }, () => {
      const bytes = options.layerBytes ?? someBytes(512);
      const packed = isPacked && !options.layerType;
      return this.blob(
        options.layerType ?? (packed ? `${layerType}+gzip` : layerType),
        packed ? new Uint8Array(gzipSync(bytes)) : bytes,
      );
    });
    const text = config?.text ?? JSON.stringify({ architecture: 'amd64', os: 'linux', id: digestOf(someBytes(9)) });
    const document = {
      schemaVersion: 2,
      mediaType: manifestType,
      artifactType,
      config: data(this.blob(config?.mediaType ?? configType, new TextEncoder().encode(text))),
      layers: [...layers.map(data), ...(options.elsewhere ?? [])],
      subject,
      annotations,
      ...options.more,
    };
    return this.#add(document, { ...options, listedAs: artifactType ?? config?.mediaType ?? configType });
  }

  /** An OCI artifact as an image: an empty config, one layer of its own kind. */
  artifact(artifactType: string, options: ImageOptions = {}): Descriptor {
    return this.image({
      ...{ layers: 1, layerType: artifactType, artifactType },
      config: { mediaType: emptyType, text: '{}' },
      ...options,
    });
  }

  index(options: ImageOptions & { platforms?: string[]; manifests?: Descriptor[] } = {}): Descriptor {
    const { platforms = usualPlatforms, artifactType, subject, annotations } = options;
    const manifests =
      options.manifests ??
      platforms.map((architecture) => ({ ...this.image(), platform: { os: 'linux', architecture } }));
    const document = {
      schemaVersion: 2,
      mediaType: indexType,
      artifactType,
      manifests,
      subject,
      annotations,
      ...options.more,
    };
    return this.#add(document, { ...options, listedAs: artifactType ?? '' });
  }

  #add(document: { mediaType: string }, options: ImageOptions & { listedAs: string }): Descriptor {
    const { mediaType } = document;
    const text = JSON.stringify(document);
    const digest = digestOf(text, this.#algorithm);
    const { subject, listedAs, annotations, tags = [] } = options;
    const refers = subject ? { subject: subject.digest, artifactType: listedAs, annotations } : null;
    this.documents.push({ digest, mediaType, text, tags, refers });
    return { mediaType, digest, size: text.length };
  }
}

function filled(fill: (data: DataSet) => void, algorithm?: string): DataSet {
  const data = new DataSet(algorithm);
  fill(data);
  return data;
}

const notes = { 'org.example.note': 'hello' };
const missing = (size: number): Descriptor => ({ mediaType: manifestType, digest: digestOf(someBytes(32)), size });
const elsewhere = (packing: string): Descriptor => {
  const digest = digestOf(someBytes(32));
  const mediaType = `application/vnd.oci.image.layer.nondistributable.v1.tar${packing}`;
  return { mediaType, digest, size: 12_345, urls: [`https://store.example.com/blobs/${digest}`] };
};
const large = Object.fromEntries(Array.from({ length: 390 }, (_, at) => [`large-${at}`, 'A'.repeat(10_000)]));

/** By the names of the suite; each is made anew. */
export const dataSets: Record<string, () => DataSet> = {
  image: () => filled((data) => data.image({ tags: ['image'] })),
  'image-uncompressed': () => filled((data) => data.image({ tags: ['image'], isPacked: false })),
  'large-manifest': () => filled((data) => data.image({ tags: ['large'], annotations: large })),
  index: () => filled((data) => data.index({ tags: ['index'] })),
  'nested-index': () => filled((data) => data.index({ tags: ['nested'], manifests: [data.index(), data.index()] })),
  'empty-index': () => filled((data) => data.index({ tags: ['empty'], platforms: [] })),
  artifact: () => filled((data) => data.artifact(artifactOne, { tags: ['artifact'] })),
  'artifact-index': () => filled((data) => data.index({ tags: ['artifact-index'], artifactType: artifactOne })),
  'artifact-without-layers': () =>
    filled((data) =>
      data.artifact(artifactOne, { layerType: emptyType, layerBytes: new TextEncoder().encode('{}'), tags: ['none'] }),
    ),
  'artifacts-with-subject': () =>
    filled((data) => {
      const subject = data.image({ tags: ['image'] });
      data.image({ subject });
      data.artifact(artifactOne, { subject, annotations: { ...notes, at: '1' }, tags: ['tagged-artifact1'] });
      data.artifact(artifactTwo, { subject, annotations: { ...notes, at: '2' }, tags: ['tagged-artifact2'] });
    }),
  'index-with-subject': () =>
    filled((data) => {
      const subject = data.index({ tags: ['index'] });
      data.index({ subject, artifactType: artifactOne, annotations: notes, tags: ['tagged-artifact'] });
    }),
  'missing-subject': () =>
    filled((data) => data.artifact(artifactOne, { subject: missing(123), annotations: notes, tags: ['tagged'] })),
  'data-field': () => filled((data) => data.image({ tags: ['data'], withData: true })),
  'non-distributable-layers': () =>
    filled((data) => data.image({ tags: ['nd'], layers: 1, elsewhere: [elsewhere('+gzip'), elsewhere('')] })),
  'custom-fields': () =>
    filled((data) => {
      const image = data.image({ more: { 'org.example.extra': { a: [1] } } });
      data.index({ tags: ['custom'], manifests: [image], more: { 'org.example.extra': 'b' } });
    }),
  'no-layers': () => filled((data) => data.image({ tags: ['no-layers'], layers: 0 })),
  sha512: () => filled((data) => data.index(), 'sha512'),
  'tag-param-sha256': () => filled((data) => data.index({ tags: ['param', 'param-0'] })),
  'tag-param-sha512': () => filled((data) => data.index({ tags: ['param', 'param-0'] }), 'sha512'),
};

/** With a layer, and an image, that nobody has. */
export function sparse(): DataSet {
  return filled((data) => {
    const image = data.image({ tags: ['sparse-image'], layers: 2 });
    const [, layer] = [...data.blobs.keys()];
    data.blobs.delete(layer as string);
    data.index({ tags: ['sparse-index'], manifests: [image, missing(1024)] });
  });
}
