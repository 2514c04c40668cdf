/** A build cache in a folder of this machine: an OCI layout (https://github.com/opencontainers/image-spec/blob/v1.1.0/image-layout.md). */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface NamedManifest {
  mediaType: string;
  digest: string;
  size: number;
}

interface IndexEntry extends NamedManifest {
  annotations?: Record<string, string>;
}

const referenceName = 'org.opencontainers.image.ref.name';
const indexType = 'application/vnd.oci.image.index.v1+json';

/** Milliseconds after which what a killed client left is taken away. */
const staleLock = 10_000;
const staleIngest = 10 * 60_000;

export class CacheFolder {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** What a tag names; null: nothing. Errors: the system's for a folder without `index.json`, plain for one that is none. */
  async find(tag: string): Promise<NamedManifest | null> {
    const found = (await this.#index()).find(({ annotations }) => annotations?.[referenceName] === tag);
    return found ? { mediaType: found.mediaType, digest: found.digest, size: found.size } : null;
  }

  /** A blob, not checked. Error: plain for a digest that is none; the system's where it is not there. */
  read(digest: string): AsyncIterable<Uint8Array> {
    return createReadStream(this.#blob(digest));
  }

  async has(digest: string): Promise<boolean> {
    return stat(this.#blob(digest)).then(
      (status) => status.isFile(),
      () => false,
    );
  }

  /** Takes a blob; it is there whole or not at all. Errors: plain for bytes that are not the digest's, the system's. */
  async write(digest: string, bytes: AsyncIterable<Uint8Array>): Promise<void> {
    const place = this.#blob(digest);
    const ingest = join(this.#directory, 'ingest');
    await mkdir(join(this.#directory, 'blobs/sha256'), { recursive: true });
    await mkdir(ingest, { recursive: true });
    const path = join(ingest, crypto.randomUUID());
    const hash = createHash('sha256');
    const file = await open(path, 'wx', 0o644);
    try {
      for await (const piece of bytes) {
        hash.update(piece);
        await file.writeFile(piece);
      }
      const actual = `sha256:${hash.digest('hex')}`;
      if (actual !== digest) throw new Error(`blob ${digest} came with the content ${actual}`);
      await file.sync();
      await rename(path, place);
    } finally {
      await file.close();
      await rm(path, { force: true });
    }
  }

  /** Makes a tag name a manifest that is there; other tags stay. Two clients at once come one after the other. */
  async name(tag: string, manifest: NamedManifest): Promise<void> {
    await this.#locked(async () => {
      const others = await this.#index().catch(() => []); // no index yet, or none that could be kept
      const kept = others.filter(({ annotations }) => annotations?.[referenceName] !== tag);
      const entry = { ...manifest, annotations: { [referenceName]: tag } };
      const index = { schemaVersion: 2, mediaType: indexType, manifests: [...kept, entry] };
      await this.#replace('oci-layout', { imageLayoutVersion: '1.0.0' });
      await this.#replace('index.json', index);
    });
    await this.#sweep();
  }

  #blob(digest: string): string {
    const hex = /^sha256:([0-9a-f]{64})$/.exec(digest)?.[1];
    if (!hex) throw new Error(`${digest} is no digest`);
    return join(this.#directory, 'blobs/sha256', hex);
  }

  async #index(): Promise<IndexEntry[]> {
    const text = await readFile(join(this.#directory, 'index.json'), 'utf8');
    const { manifests } = JSON.parse(text) as { manifests?: unknown };
    if (!Array.isArray(manifests)) throw new Error('index.json has no manifests');
    return manifests.filter(
      (entry): entry is IndexEntry =>
        typeof entry === 'object' && entry !== null && typeof (entry as IndexEntry).digest === 'string',
    );
  }

  async #replace(name: string, value: object): Promise<void> {
    const path = join(this.#directory, `.${name}.${crypto.randomUUID()}`);
    try {
      await writeFile(path, JSON.stringify(value));
      await rename(path, join(this.#directory, name));
    } finally {
      await rm(path, { force: true });
    }
  }

  async #locked(work: () => Promise<void>): Promise<void> {
    const lock = join(this.#directory, 'index.json.lock');
    for (;;) {
      try {
        await (await open(lock, 'wx')).close();
        break;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const since = await stat(lock).then(
        ({ mtimeMs }) => mtimeMs,
        () => Date.now(), // it has just gone
      );
      if (Date.now() - since > staleLock) await rm(lock, { force: true });
      else await new Promise((resolve) => setTimeout(resolve, 20));
    }
    try {
      await work();
    } finally {
      await rm(lock, { force: true });
    }
  }

  /** Halves of blobs that nobody writes any more. */
  async #sweep(): Promise<void> {
    const ingest = join(this.#directory, 'ingest');
    for (const name of await readdir(ingest).catch(() => [])) {
      const path = join(ingest, name);
      const status = await stat(path).catch(() => null);
      if (status && Date.now() - status.mtimeMs > staleIngest) await rm(path, { force: true });
    }
  }
}
