/**
 * All the places that have one repository, in the order of trust and cost: mirrors, then the registry itself. The first one that
 * serves the manifest serves the rest; the others stand in when it fails half way.
 */
import { BerthError, errorMessage } from '../api/errors.ts';
import type { Reference } from '../oci/reference.ts';
import type { Credentials } from './credentials.ts';
import type { Registries, RegistrySettings } from './registries.ts';
import { UnreachableError } from './registry-errors.ts';
import { type RemoteDocument, Repository } from './repository.ts';
import { Transport } from './transport.ts';

export interface SourceOptions {
  registries: Registries;
  credentials: Credentials | null;
  /** Milliseconds until a host must have begun its answer. */
  headTimeout?: number;
  userAgent?: string;
  /** What tokens are asked for; `pull,push` leaves mirrors out. Default `pull`. */
  actions?: 'pull' | 'pull,push';
}

/** What went wrong with a place before another one was asked. */
export interface Fallback {
  from: string;
  to: string;
  reason: string;
}

export class RepositorySources {
  readonly #repositories: Repository[];
  readonly #registries: Registries;
  /** Milliseconds until a host must have begun its answer; absent: as usual. */
  readonly headTimeout: number | undefined;
  #fallbacks: Fallback[] = [];

  constructor(reference: Reference, options: SourceOptions) {
    this.#registries = options.registries;
    this.headTimeout = options.headTimeout;
    const isInsecure = (host: string): boolean => options.registries.isInsecure(host);
    const transport = new Transport({
      isInsecure,
      headTimeout: options.headTimeout,
      userAgent: options.userAgent,
    });
    const endpoints = options.registries
      .endpoints(reference.domain)
      .filter((endpoint) => !(endpoint.isMirror && options.actions === 'pull,push'));
    this.#repositories = endpoints.map((endpoint) => {
      // A user's credentials are for the registry that the reference names, not for who mirrors it.
      const own = endpoint.credentials ? ({ kind: 'password', ...endpoint.credentials } as const) : null;
      return new Repository({
        endpoint,
        path: reference.path,
        credentials: endpoint.isMirror ? own : options.credentials,
        transport,
        isInsecure,
        actions: options.actions,
      });
    });
  }

  /** What its registries were made of. */
  get settings(): RegistrySettings {
    return this.#registries.settings;
  }

  /** Falls back as the work goes: what happened since the last call. */
  takeFallbacks(): Fallback[] {
    const taken = this.#fallbacks;
    this.#fallbacks = [];
    return taken;
  }

  /** The repository that answers first in the list; asks the others in order where it does not. */
  async manifest(tagOrDigest: string, signal?: AbortSignal): Promise<RemoteDocument> {
    return this.use((repository) => repository.manifest(tagOrDigest, signal), signal);
  }

  /**
   * Runs `work` on the first place that can do it. A mirror may fail in any way, a plain http endpoint is only asked when TLS got no
   * answer. The places that failed go to the end, so that what follows starts at the one that works.
   * Error: the one of the registry itself, not of a mirror.
   */
  async use<T>(work: (repository: Repository) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const order = [...this.#repositories];
    let failure: unknown;
    for (const [index, repository] of order.entries()) {
      try {
        const result = await work(repository);
        this.#promote(repository);
        this.#registries.answered(repository.endpoint);
        return result;
      } catch (error) {
        signal?.throwIfAborted();
        // "refused" over https says nothing when http is what the registry speaks, so the later error is the better one.
        failure = failure === undefined || !repository.endpoint.isMirror ? error : failure;
        const next = order[index + 1];
        if (!next || !mayFallBack(repository, error)) throw failure;
        if (repository.endpoint.isMirror)
          this.#fallbacks.push({ from: repository.endpoint.base, to: next.endpoint.base, reason: errorMessage(error) });
      }
    }
    throw failure ?? new BerthError('internal', 'no endpoint for the registry');
  }

  /** The place that served last gave wrong bytes: the next in line gets its turn. */
  demoteMirror(): void {
    const first = this.#repositories[0];
    if (!first?.endpoint.isMirror || this.#repositories.length === 1) return;
    this.#repositories.push(this.#repositories.shift() as Repository);
    const to = this.#repositories[0]?.endpoint.base ?? '';
    this.#fallbacks.push({ from: first.endpoint.base, to, reason: 'it sent bytes that do not match their digest' });
  }

  #promote(repository: Repository): void {
    const at = this.#repositories.indexOf(repository);
    if (at > 0) this.#repositories.unshift(...this.#repositories.splice(at, 1));
  }
}

function mayFallBack(repository: Repository, error: unknown): boolean {
  return repository.endpoint.isMirror || error instanceof UnreachableError;
}
