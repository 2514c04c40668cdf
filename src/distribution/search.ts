/** `GET /v1/search`: the one route of the registries' first version that clients still ask. */
import { BerthError } from '../api/errors.ts';
import type { ImageSearchResult } from '../api/types/image.ts';
import { defaultDomain } from '../oci/reference.ts';
import { basicAuthorization, type Credentials } from './credentials.ts';
import type { Registries } from './registries.ts';
import { registryFailure, responseError, UnreachableError } from './registry-errors.ts';
import { readLimited, Transport } from './transport.ts';

export interface SearchQuery {
  /** `docker.io`, or another registry's `host[:port]`. */
  domain: string;
  term: string;
  limit: number;
  credentials: Credentials | null;
}

const longestAnswer = 4 * 1024 * 1024;

/** Error: as the registry answers, with dockerd's status. */
export async function searchRegistry(query: SearchQuery, registries: Registries): Promise<ImageSearchResult[]> {
  const { domain, credentials } = query;
  const bases =
    domain === defaultDomain
      ? ['https://index.docker.io']
      : registries.endpoints(domain).flatMap(({ base, isMirror }) => (isMirror ? [] : [base]));
  const transport = new Transport({ isInsecure: (host) => registries.isInsecure(host) });
  const authorization =
    credentials?.kind === 'password' ? basicAuthorization(credentials.username, credentials.password) : null;
  let failure: unknown;
  for (const base of bases) {
    const url = `${base}/v1/search?${new URLSearchParams({ q: query.term, n: String(query.limit) })}`;
    try {
      const response = await transport.send({ url, authorization });
      const text = new TextDecoder().decode(await readLimited(response, longestAnswer));
      if (!response.ok) throw responseError(response, text);
      return readResults(text);
    } catch (error) {
      failure = error;
      if (!(error instanceof UnreachableError)) break;
    }
  }
  throw registryFailure(failure);
}

function readResults(text: string): ImageSearchResult[] {
  let results: unknown;
  try {
    results = (JSON.parse(text) as { results?: unknown }).results;
  } catch (cause) {
    throw new BerthError('internal', "the registry's answer to a search is no JSON", { cause });
  }
  if (!Array.isArray(results)) return [];
  return results.map((entry: Partial<ImageSearchResult>) => ({
    star_count: Number(entry.star_count ?? 0),
    is_official: entry.is_official === true,
    name: String(entry.name ?? ''),
    is_automated: entry.is_automated === true,
    description: String(entry.description ?? ''),
  }));
}
