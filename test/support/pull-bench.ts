/** A pull over test registries into a store in memory: for tests of the way, not of the store. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BerthError } from '../../src/api/errors.ts';
import type { AuthConfig } from '../../src/api/types/image.ts';
import type { ProgressMessage } from '../../src/api/types/progress.ts';
import { Registries, type RegistrySettings } from '../../src/distribution/registries.ts';
import { EventBus } from '../../src/engine/events/event-bus.ts';
import type { BuiltInImages } from '../../src/engine/images/built-in.ts';
import { LayerTransfers } from '../../src/engine/images/layer-transfers.ts';
import { ImagePull } from '../../src/engine/images/pull.ts';
import { sha256 } from '../../src/oci/digest.ts';
import { parseImageConfig } from '../../src/oci/image-config.ts';
import type {
  CommitImageOptions,
  Document,
  ImageStoreInterface,
  IngestLayerOptions,
  Lease,
  StoredImage,
  StoredLayer,
} from '../../src/store/types.ts';

/** Keeps images in memory; checks what a store must be able to rely on. */
export class MemoryStore
  implements
    Pick<
      ImageStoreInterface,
      'lease' | 'layer' | 'layerOfBlob' | 'ingestLayer' | 'commitImage' | 'image' | 'document' | 'reference'
    >
{
  readonly layers = new Map<string, StoredLayer>();
  readonly images = new Map<string, StoredImage>();
  readonly documents = new Map<string, Document>();
  readonly references = new Map<string, string>();
  /** Leases that are held. */
  leases = 0;
  ingested = 0;
  swept = 0;

  async lease(): Promise<Lease> {
    this.leases++;
    return {
      id: 'lease',
      directory: '/nonexistent',
      hold: () => undefined,
      release: async () => {
        this.leases--;
      },
    };
  }

  layer(diffId: string): StoredLayer | null {
    return this.layers.get(diffId) ?? null;
  }

  layerOfBlob(digest: string): StoredLayer | null {
    return [...this.layers.values()].find((layer) => layer.blob === digest) ?? null;
  }

  async ingestLayer(options: IngestLayerOptions): Promise<StoredLayer> {
    const { source, signal } = options;
    if (source.kind !== 'growing' || !options.diffId) throw new Error('a pull gives growing files and diff ids');
    const { promise: grown, resolve, reject } = Promise.withResolvers<void>();
    signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
    source.growth.follow((_length, isComplete) => isComplete && resolve());
    await grown;
    const bytes = await readFile(source.path);
    if (bytes.length !== options.size) throw new Error('a file of another size');
    if (sha256(bytes) !== options.digest)
      throw new BerthError('invalid', `filesystem layer verification failed for digest ${options.digest}`, {
        code: 'digest-mismatch',
      });
    options.onProgress?.(bytes.length);
    this.ingested++;
    const { diffId, digest } = options;
    const stored = { diffId, size: bytes.length, tarSize: 0, diff: '', blob: digest, blobKept: false };
    this.layers.set(diffId, stored);
    return stored;
  }

  async commitImage(options: CommitImageOptions) {
    const config = parseImageConfig(options.config);
    const id = sha256(options.config);
    for (const diffId of config.rootfs.diff_ids) if (!this.layers.has(diffId)) throw new Error(`no layer ${diffId}`);
    const created = !this.images.has(id);
    this.images.set(id, {
      id,
      config,
      configBytes: options.config,
      manifest: options.manifest ?? null,
      parent: null,
      created: 0,
      hidden: false,
      size: 0,
      lastTagged: null,
      references: [],
      layers: config.rootfs.diff_ids,
    });
    for (const document of options.documents ?? []) this.documents.set(document.digest, document);
    for (const reference of options.references ?? []) this.references.set(reference, id);
    return { id, created, moved: [] };
  }

  image(id: string): StoredImage | null {
    return this.images.get(id) ?? null;
  }

  document(digest: string): Document | null {
    return this.documents.get(digest) ?? null;
  }

  async sweep(): Promise<void> {
    this.swept++;
  }

  reference(canonical: string): string | null {
    return this.references.get(canonical) ?? null;
  }
}

export interface PullOutcome {
  messages: ProgressMessage[];
  error: Error | null;
}

export class PullBench {
  readonly store = new MemoryStore();
  readonly events = new EventBus();
  readonly directory: string;
  readonly #pull: ImagePull;

  private constructor(directory: string, settings: RegistrySettings, builtIn: BuiltInImages | null) {
    this.directory = directory;
    const layers = new LayerTransfers({ store: this.store, directory, stallTimeout: 150, firstPause: 5 });
    this.#pull = new ImagePull({
      store: this.store,
      registries: new Registries(settings),
      layers,
      events: this.events,
      builtIn,
      headTimeout: 2000,
    });
  }

  static async start(settings: RegistrySettings = {}, builtIn: BuiltInImages | null = null): Promise<PullBench> {
    return new PullBench(await mkdtemp(join(tmpdir(), 'berth-pull-')), settings, builtIn);
  }

  /** Pulls to the end; a failure is part of the outcome. */
  async pull(
    reference: string,
    options: {
      auth?: Partial<AuthConfig>;
      platform?: { os: string; architecture: string };
      signal?: AbortSignal;
      onMessage?: (message: ProgressMessage) => void;
    } = {},
  ): Promise<PullOutcome> {
    const messages: ProgressMessage[] = [];
    try {
      await this.#pull.pull(
        { reference, platform: options.platform ?? null, auth: (options.auth as AuthConfig | undefined) ?? null },
        (message) => {
          messages.push(message);
          options.onMessage?.(message);
        },
        options.signal ?? new AbortController().signal,
      );
      return { messages, error: null };
    } catch (error) {
      return { messages, error: error as Error };
    }
  }

  async stop(): Promise<void> {
    await rm(this.directory, { recursive: true });
  }
}

/** The statuses in order, repeated ones once, without what depends on timing. */
export function statuses(outcome: PullOutcome): string[] {
  const lines = outcome.messages.map(({ status, id }) => (id ? `${id}: ${status}` : `${status}`));
  // Layers come side by side, so a line may stand again after another layer's.
  const isCount = (line: string): boolean => / (Downloading|Extracting)$/.test(line);
  return lines.filter((line, index) => !line.endsWith(': Waiting') && !(isCount(line) && lines.indexOf(line) < index));
}
