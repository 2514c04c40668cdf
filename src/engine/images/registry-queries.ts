/** What clients ask about a registry without pulling from it. */
import { BerthError } from '../../api/errors.ts';
import type {
  AuthConfig,
  DistributionInspect,
  ImageSearchResult,
  Platform as WirePlatform,
} from '../../api/types/image.ts';
import type { AuthResponse } from '../../api/types/system.ts';
import { credentialsOf } from '../../distribution/credentials.ts';
import { login } from '../../distribution/login.ts';
import type { Registries } from '../../distribution/registries.ts';
import { registryFailure } from '../../distribution/registry-errors.ts';
import { searchRegistry } from '../../distribution/search.ts';
import { RepositorySources } from '../../distribution/sources.ts';
import { configPlatform, longestConfig, parseImageConfig } from '../../oci/image-config.ts';
import { type ImageManifest, parseManifest } from '../../oci/manifest.ts';
import { defaultDomain, parseReference, withDefaultTag } from '../../oci/reference.ts';
import { type Filters, filterBoolean } from '../../wire/filters.ts';

/** Results of one search. */
const mostResults = 100;

export class RegistryQueries {
  readonly #registries: Registries;

  constructor(registries: Registries) {
    this.#registries = registries;
  }

  /** `GET /distribution/{name}/json`. Errors: `invalid` for the name, else as the registry answers, with dockerd's status. */
  async distribution(name: string, auth: AuthConfig | null): Promise<DistributionInspect> {
    const reference = withDefaultTag(parseReference(name));
    const sources = new RepositorySources(reference, {
      registries: this.#registries,
      credentials: credentialsOf(auth),
    });
    try {
      const document = await sources.manifest(reference.digest ?? (reference.tag as string));
      const parsed = parseManifest(document.bytes, document.mediaType);
      const mediaType = parsed.kind === 'index' ? parsed.index.mediaType : parsed.manifest.mediaType;
      return {
        Descriptor: { mediaType, digest: document.digest, size: document.bytes.length },
        Platforms:
          parsed.kind === 'index'
            ? parsed.index.manifests.flatMap((entry) => (entry.platform ? [entry.platform] : []))
            : await this.#ownPlatform(parsed.manifest, sources),
      };
    } catch (error) {
      throw registryFailure(error);
    }
  }

  /** `GET /images/search`: `[host[:port]/]word`. Errors: `invalid` in dockerd's words, else as the registry answers. */
  async search(
    text: string,
    options: { limit: number; filters: Filters; auth: AuthConfig | null },
  ): Promise<ImageSearchResult[]> {
    const { limit, filters } = options;
    if (limit < 1 || limit > mostResults)
      throw new BerthError('invalid', `limit ${limit} is outside the range of [1, ${mostResults}]`);
    const isWanted = searchFilter(filters);
    if (text.includes('://'))
      throw new BerthError('invalid', `invalid repository name: repository name (${text}) should not have a scheme`);
    const slash = text.indexOf('/');
    const host = text.slice(0, Math.max(0, slash));
    const isHost = host === 'localhost' || /[.:]/.test(host);
    const domain = isHost && host !== 'docker.io' && host !== 'index.docker.io' ? host : defaultDomain;
    const term = (isHost ? text.slice(slash + 1) : text).replace(/^library\//, '');
    const credentials = credentialsOf(options.auth);
    return (await searchRegistry({ domain, term, limit, credentials }, this.#registries)).filter(isWanted);
  }

  /** `POST /auth`. */
  async authenticate(auth: AuthConfig): Promise<AuthResponse> {
    const { identityToken } = await login(auth, this.#registries);
    return { Status: 'Login Succeeded', IdentityToken: identityToken };
  }

  async #ownPlatform(manifest: ImageManifest, sources: RepositorySources): Promise<WirePlatform[]> {
    const { digest, size } = manifest.config;
    if (size > longestConfig || manifest.layers.length === 0) return [];
    const bytes = await sources.use((repository) => repository.document(digest, { limit: longestConfig }));
    return [configPlatform(parseImageConfig(bytes))];
  }
}

/** Error: `invalid` in dockerd's words. */
function searchFilter(filters: Filters): (result: ImageSearchResult) => boolean {
  const wanted = (key: string): boolean | null => (filters.has(key) ? filterBoolean(filters, key, true) : null);
  const official = wanted('is-official');
  const automated = wanted('is-automated');
  const stars = (filters.get('stars') ?? []).map((text) => {
    if (/^\d+$/.test(text)) return Number(text);
    throw new BerthError(
      'invalid',
      `invalid filter 'stars=${text}': strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`,
    );
  });
  return (result) =>
    (official === null || result.is_official === official) &&
    (automated === null || result.is_automated === automated) &&
    stars.every((least) => result.star_count >= least);
}
