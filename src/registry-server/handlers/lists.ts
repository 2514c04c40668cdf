/** Lists of names, page by page (https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#listing-tags), and the search. */
import { type Call, sendJson } from '../context.ts';
import { RegistryProblem } from '../problem.ts';
import type { Page } from '../storage/types.ts';

/** Names on a page where the client does not say. */
const usualPage = 1000;
const largestPage = 10_000;

/** `GET /v2/_catalog`: the repositories that the caller may see. */
export async function catalog(call: Call): Promise<void> {
  const { guard, content } = call.context;
  const caller = await guard.requireCatalog(call.request);
  const visible = guard.visibleTo(caller.identity);
  const { names, headers } = await onePage(call, '/v2/_catalog', (page) => content.index.repositories(page, visible));
  sendJson(call, { repositories: names }, headers);
}

/** `GET …/tags/list`. */
export async function listTags(call: Call): Promise<void> {
  const { context, request, repository } = call;
  await context.guard.require(request, repository, 'pull');
  const { names, headers } = await onePage(call, `/v2/${repository}/tags/list`, async (page) => {
    const tags = await context.content.index.tags(repository, page);
    if (!tags) throw new RegistryProblem('NAME_UNKNOWN', { detail: { name: repository } });
    return tags;
  });
  sendJson(call, { name: repository, tags: names }, headers);
}

/** The names that the client asks for, and the link to the next page (RFC 8288) where there is one. */
async function onePage(
  call: Call,
  path: string,
  read: (page: Page) => Promise<string[]>,
): Promise<{ names: string[]; headers: Record<string, string> }> {
  const limit = pageSize(call);
  // One more tells whether another page follows.
  const found = await read({ last: call.query.get('last') ?? '', limit: limit + 1 });
  const names = found.slice(0, limit);
  const last = names.at(-1);
  if (last === undefined || found.length <= limit) return { names, headers: {} };
  return { names, headers: { Link: `<${path}?n=${limit}&last=${encodeURIComponent(last)}>; rel="next"` } };
}

function pageSize(call: Call): number {
  const text = call.query.get('n');
  if (text === null) return usualPage;
  if (!/^\d{1,9}$/.test(text)) throw new RegistryProblem('PAGINATION_NUMBER_INVALID', { detail: { n: text } });
  return Math.min(Number(text), largestPage);
}

/** `GET /v1/search?q=…`: what `docker search host/term` asks. */
export async function search(call: Call): Promise<void> {
  const { guard, content } = call.context;
  const caller = await guard.caller(call.request);
  const query = call.query.get('q') ?? '';
  const limit = Math.min(Math.max(1, Number(call.query.get('n') ?? 25) || 25), 100);
  const page = Math.max(1, Number(call.query.get('page') ?? 1) || 1);
  const offset = (page - 1) * limit;
  const { count, results } = await content.index.search(query, { offset, limit }, guard.visibleTo(caller.identity));
  sendJson(call, {
    query,
    num_results: count,
    num_pages: Math.ceil(count / limit),
    page,
    page_size: limit,
    results: results.map(({ name, description, stars, pulls }) => ({
      name,
      description,
      star_count: stars,
      pull_count: pulls,
      is_official: !name.includes('/') || name.startsWith('library/'),
      is_automated: false,
      is_trusted: false,
    })),
  });
}
