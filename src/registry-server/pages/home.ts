/** What is here: the first page and the search. */
import type { SearchOrder } from '../storage/types.ts';
import { countText } from './format.ts';
import { type Html, html } from './html.ts';
import { command, pager, repositoryCards } from './layout.ts';
import { type PageAnswer, pageNumber, type View } from './view.ts';

const shownOnHome = 8;
const perPage = 20;
const longestTerm = 200;
const orders: [SearchOrder, string][] = [
  ['match', 'Best match'],
  ['pushed', 'Newest'],
  ['stars', 'Stars'],
  ['pulls', 'Pulls'],
];

export function home(view: View): PageAnswer {
  const { site, visitor } = view;
  const visible = site.guard.visibleTo(visitor.identity);
  const newest = site.showcase.newest(shownOnHome, visible);
  const starred = site.showcase.mostStarred(shownOnHome, visible);
  const body = html`<h1>Repositories</h1>
${newest.length === 0 ? empty(view) : ''}
<div class="columns">
${newest.length > 0 && section('Newest', repositoryCards(newest))}
${starred.length > 0 && section('Most starred', repositoryCards(starred))}
</div>
${newest.length === shownOnHome && html`<p><a href="/search?sort=pushed">All repositories</a></p>`}`;
  return { title: 'Repositories', body };
}

function section(title: string, body: Html): Html {
  return html`<section><h2>${title}</h2>${body}</section>`;
}

function empty(view: View): Html {
  const { site, visitor, host } = view;
  const mayPush = site.guard.isOpen || visitor.identity;
  if (!mayPush)
    return html`<p>There is nothing here that everybody may see. <a href="/sign-in">Sign in</a> to see more.</p>`;
  const name = visitor.identity ? `${visitor.identity.name}/hello` : 'hello';
  return html`<div class="box"><p>Nothing is here yet. Push an image:</p>
${visitor.identity && command(`docker login ${host}`)}
${command(`docker tag hello-world ${host}/${name}`)}
${command(`docker push ${host}/${name}`)}</div>`;
}

export async function search(view: View): Promise<PageAnswer> {
  const { site, visitor, query } = view;
  const term = (query.get('q') ?? '').trim().slice(0, longestTerm);
  const order = orders.find(([name]) => name === query.get('sort'))?.[0] ?? 'match';
  const slice = { offset: (pageNumber(query) - 1) * perPage, limit: perPage, order };
  const visible = site.guard.visibleTo(visitor.identity);
  const { count, results } = await site.content.index.search(term, slice, visible);
  const found = html`${countText(count, 'repository', 'repositories')}${term !== '' && html` for “<bdi>${term}</bdi>”`}`;
  const body = html`<h1>Search</h1>
<div class="row spread"><p role="status">${found}</p>${count > 1 && orderForm(term, order)}</div>
${results.length > 0 && repositoryCards(results)}
${pager(view, count, perPage)}`;
  return { title: term === '' ? 'Search' : `${term} · Search`, body, term };
}

function orderForm(term: string, order: SearchOrder): Html {
  const options = orders.map(
    ([name, text]) => html`<option value="${name}"${name === order && html` selected`}>${text}</option>`,
  );
  return html`<form class="row" action="/search"><input type="hidden" name="q" value="${term}">
<label for="sort">Sort by</label><select id="sort" name="sort">${options}</select><button class="quiet">Sort</button></form>`;
}
