/**
 * A pull-through cache: what is asked for and not here comes from an upstream and stays. A tag is compared with the upstream each time; while
 * that is down, what is here is served. However many ask at once, the upstream is asked once.
 */
import { errorMessage } from '../../api/errors.ts';
import { RegistryError } from '../../distribution/registry-errors.ts';
import type { RemoteDocument } from '../../distribution/repository.ts';
import { isDigest } from '../../oci/digest.ts';
import type { FetchedBlob, MirrorSource } from '../context.ts';
import { manifestFacts } from '../manifest-facts.ts';
import { isDiskFull, RegistryProblem } from '../problem.ts';
import type { Content } from '../storage/content.ts';
import type { StoredManifest } from '../storage/types.ts';
import { BlobFetch } from './blob-fetch.ts';
import type { UpstreamRepository, Upstreams } from './upstreams.ts';

/** Milliseconds that an upstream may take to say whether what is here is still right. */
const patienceWithKnown = 5000;
/** Milliseconds for which an upstream that failed is not asked that again. */
const downFor = 5000;

export interface MirrorOptions {
  content: Content;
  upstreams: Upstreams;
  /** Told when an upstream fails and what is here stands in. */
  report(message: string): void;
}

export class Mirror implements MirrorSource {
  readonly #options: MirrorOptions;
  readonly #manifests = new Map<string, Promise<StoredManifest | null>>();
  readonly #blobs = new Map<string, Promise<FetchedBlob | null>>();
  /** Upstreams that failed, and until when they are not asked about what is here. */
  readonly #downUntil = new Map<string, number>();

  constructor(options: MirrorOptions) {
    this.#options = options;
  }

  localName(repository: string, named: string | null): string {
    return this.#options.upstreams.find(repository, named)?.local ?? repository;
  }

  refreshManifest(repository: string, reference: string, named: string | null): Promise<StoredManifest | null> {
    const upstream = this.#options.upstreams.find(repository, named);
    if (!upstream) return Promise.resolve(null);
    return joined(this.#manifests, `${upstream.local} ${reference}`, () => this.#refresh(upstream, reference));
  }

  async #refresh(upstream: UpstreamRepository, reference: string): Promise<StoredManifest | null> {
    const { local, remote } = upstream;
    const { index } = this.#options.content;
    const known = await index.manifest(local, reference);
    if (known && (isDigest(reference) || !(await index.isMirrored(local, reference)))) return null;
    const { base } = remote.endpoint;
    if (known && performance.now() < (this.#downUntil.get(base) ?? 0)) return null;
    try {
      const patience = known ? AbortSignal.timeout(patienceWithKnown) : undefined;
      if (known && (await remote.digestOf(reference, patience)) === known.digest) return null;
      return await this.#keep(local, reference, await remote.manifest(reference));
    } catch (error) {
      const isUnknown = error instanceof RegistryError && error.status === 404;
      if (known && isUnknown) await index.deleteTag(local, reference);
      else if (known) {
        this.#options.report(`${base}: ${errorMessage(error)}; serving ${local}:${reference} from here`);
        if (!(error instanceof RegistryError) || error.status >= 500)
          this.#downUntil.set(base, performance.now() + downFor);
      }
      // Docker's registries answer 401 and 403 for what nobody may know of.
      else if (!(error instanceof RegistryError) || error.status >= 429) throw upstreamProblem(error);
      return null;
    }
  }

  /** Gives it back where there is no room for it. */
  async #keep(local: string, reference: string, document: RemoteDocument): Promise<StoredManifest | null> {
    const { index } = this.#options.content;
    const facts = manifestFacts(document.bytes, document.mediaType);
    const tag = isDigest(reference) ? null : reference;
    try {
      await index.putManifest(local, document, { tag, facts, mayBeSparse: true });
      if (tag !== null) await index.markMirrored(local, tag);
      return null;
    } catch (error) {
      if (!isDiskFull(error)) throw error;
      this.#options.report(`${local}:${reference} is not kept: ${errorMessage(error)}`);
      return document;
    }
  }

  async blobSize(repository: string, digest: string, named: string | null): Promise<number | null> {
    const upstream = this.#options.upstreams.find(repository, named);
    if (!upstream) return null;
    const running = await this.#blobs.get(`${upstream.local} ${digest}`);
    if (running) return running.size;
    try {
      const { headers } = await upstream.remote.request({ method: 'HEAD', path: `blobs/${digest}` });
      const length = headers.get('content-length');
      return length === null ? null : Number(length);
    } catch (error) {
      return nothingThere(error);
    }
  }

  async fetchBlob(repository: string, digest: string, named: string | null): Promise<FetchedBlob | null> {
    const upstream = this.#options.upstreams.find(repository, named);
    if (!upstream) return null;
    const { local, remote } = upstream;
    const { content } = this.#options;
    const key = `${local} ${digest}`;
    const running = this.#blobs.get(key);
    if (running) return running;
    const starting = (async () => {
      try {
        const { fetch, done } = await BlobFetch.start({ content, repository: local, remote, digest });
        done
          .catch((error: unknown) => this.#options.report(`${remote.endpoint.base}: ${digest}: ${errorMessage(error)}`))
          .finally(() => this.#blobs.delete(key));
        return fetch;
      } catch (error) {
        this.#blobs.delete(key);
        return nothingThere(error);
      }
    })();
    this.#blobs.set(key, starting);
    return starting;
  }
}

/** Null for an upstream that does not have it, or says so. Error: any other. */
function nothingThere(error: unknown): null {
  if (error instanceof RegistryError && error.status < 429) return null;
  throw upstreamProblem(error);
}

/** Those who come while the work is done share it. */
function joined<T>(works: Map<string, Promise<T>>, key: string, work: () => Promise<T>): Promise<T> {
  const running = works.get(key);
  if (running) return running;
  const started = work().finally(() => works.delete(key));
  works.set(key, started);
  return started;
}

function upstreamProblem(cause: unknown): RegistryProblem {
  if (cause instanceof RegistryProblem) return cause;
  if (cause instanceof RegistryError && cause.status === 429) return new RegistryProblem('TOOMANYREQUESTS', { cause });
  return new RegistryProblem('UNKNOWN', {
    status: 502,
    message: `the upstream registry fails: ${errorMessage(cause)}`,
    cause,
  });
}
