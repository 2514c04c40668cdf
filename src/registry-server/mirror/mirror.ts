/**
 * A pull-through cache: what is asked for and not here comes from an upstream and stays. A tag is compared with the upstream each time; while
 * that is down, what is here is served. However many ask at once, the upstream is asked once.
 */
import { errorMessage } from '../../api/errors.ts';
import { RegistryError } from '../../distribution/registry-errors.ts';
import { isDigest } from '../../oci/digest.ts';
import type { FetchedBlob, MirrorSource } from '../context.ts';
import { manifestFacts } from '../manifest-facts.ts';
import { RegistryProblem } from '../problem.ts';
import type { Content } from '../storage/content.ts';
import { BlobFetch } from './blob-fetch.ts';
import type { UpstreamRepository, Upstreams } from './upstreams.ts';

export interface MirrorOptions {
  content: Content;
  upstreams: Upstreams;
  /** Told when an upstream fails and what is here stands in. */
  report(message: string): void;
}

export class Mirror implements MirrorSource {
  readonly #options: MirrorOptions;
  readonly #manifests = new Map<string, Promise<void>>();
  readonly #blobs = new Map<string, Promise<BlobFetch | null>>();

  constructor(options: MirrorOptions) {
    this.#options = options;
  }

  localName(repository: string, named: string | null): string {
    return this.#options.upstreams.find(repository, named)?.local ?? repository;
  }

  refreshManifest(repository: string, reference: string, named: string | null): Promise<void> {
    const upstream = this.#options.upstreams.find(repository, named);
    if (!upstream) return Promise.resolve();
    return joined(this.#manifests, `${upstream.local} ${reference}`, () => this.#refresh(upstream, reference));
  }

  async #refresh({ local, remote }: UpstreamRepository, reference: string): Promise<void> {
    const { index } = this.#options.content;
    const known = await index.manifest(local, reference);
    if (known && (isDigest(reference) || !(await index.isMirrored(local, reference)))) return;
    try {
      if (known && (await remote.digestOf(reference)) === known.digest) return;
      const { bytes, digest, mediaType } = await remote.manifest(reference);
      const facts = manifestFacts(bytes, mediaType);
      const tag = isDigest(reference) ? null : reference;
      await index.putManifest(local, { digest, mediaType, bytes }, { tag, facts, mayBeSparse: true });
      if (tag !== null) await index.markMirrored(local, tag);
    } catch (error) {
      const isUnknown = error instanceof RegistryError && error.status === 404;
      if (known && isUnknown) await index.deleteTag(local, reference);
      else if (known)
        this.#options.report(
          `${remote.endpoint.base}: ${errorMessage(error)}; serving ${local}:${reference} from here`,
        );
      // Docker's registries answer 401 and 403 for what nobody may know of.
      else if (!(error instanceof RegistryError) || error.status >= 429) throw upstreamProblem(error);
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
        if (error instanceof RegistryError && error.status < 429) return null;
        throw upstreamProblem(error);
      }
    })();
    this.#blobs.set(key, starting);
    return starting;
  }
}

/** Those who come while the work is done share it. */
function joined(works: Map<string, Promise<void>>, key: string, work: () => Promise<void>): Promise<void> {
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
