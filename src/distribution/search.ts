/** `GET /v1/search`: the one route of the registries' first version that clients still ask. */
import { BerthError } from '../api/errors.ts';
import type { ImageSearchResult } from '../api/types/image.ts';
import { defaultDomain } from '../oci/reference.ts';
import { Authorizer } from './authorizer.ts';
import { parseChallenges } from './challenge.ts';
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
  const isInsecure = (host: string): boolean => registries.isInsecure(host);
  const transport = new Transport({ isInsecure });
  let failure: unknown;
  for (const base of bases) {
    const url = `${base}/v1/search?${new URLSearchParams({ q: query.term, n: String(query.limit) })}`;
    try {
      const authorization = await authorizationFor(credentials, { base, transport, isInsecure });
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

/** A password is shown as it is; an identity token is changed for one to search with, as it was made for. */
async function authorizationFor(
  credentials: Credentials | null,
  at: { base: string; transport: Transport; isInsecure: (host: string) => boolean },
): Promise<string | null> {
  if (credentials === null) return null;
  if (credentials.kind === 'password') return basicAuthorization(credentials.username, credentials.password);
  const response = await at.transport.send({ url: `${at.base}/v2/` });
  await response.body?.cancel();
  const challenges = parseChallenges(response.headers.get('www-authenticate'));
  if (response.status !== 401 || challenges.length === 0) return null;
  return new Authorizer({ ...at, credentials }).answer(challenges, { scope: 'registry:catalog:search', refused: null });
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
