/** Lists of names, page by page (https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#listing-tags), and the search. */
import { type Call, sendJson } from '../context.ts';
import { RegistryProblem } from '../problem.ts';

/** Names on a page where the client does not say. */
const usualPage = 1000;
const largestPage = 10_000;

/** `GET /v2/_catalog`: the repositories that the caller may see. */
export async function catalog(call: Call): Promise<void> {
  const { guard, content } = call.context;
  const caller = await guard.requireIdentity(call.request, 'registry:catalog:*');
  const limit = pageSize(call);
  const page = { last: call.query.get('last') ?? '', limit };
  const names = await content.index.repositories(page, guard.visibleTo(caller.identity));
  sendJson(call, { repositories: names }, nextLink(call, '/v2/_catalog', names));
}

/** `GET …/tags/list`. */
export async function listTags(call: Call): Promise<void> {
  const { context, request, repository } = call;
  await context.guard.require(request, repository, 'pull');
  const page = { last: call.query.get('last') ?? '', limit: pageSize(call) };
  const tags = page.limit === 0 ? [] : await context.content.index.tags(repository, page);
  if (!tags) throw new RegistryProblem('NAME_UNKNOWN', { detail: { name: repository } });
  sendJson(call, { name: repository, tags }, nextLink(call, `/v2/${repository}/tags/list`, tags));
}

function pageSize(call: Call): number {
  const text = call.query.get('n');
  if (text === null) return usualPage;
  if (!/^\d{1,9}$/.test(text)) throw new RegistryProblem('PAGINATION_NUMBER_INVALID', { detail: { n: text } });
  return Math.min(Number(text), largestPage);
}

/** RFC 5988, for a page that is full: there may be more. */
function nextLink(call: Call, path: string, names: string[]): Record<string, string> {
  const limit = pageSize(call);
  const last = names.at(-1);
  if (last === undefined || names.length < limit) return {};
  return { Link: `<${path}?n=${limit}&last=${encodeURIComponent(last)}>; rel="next"` };
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
