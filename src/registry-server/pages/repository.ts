/** A repository: what it is, how to get it, its tags. */
import type { Identity } from '../access/passwords.ts';
import { isRepositoryName, namespaceOf } from '../names.ts';
import type { RepositorySummary, ShownTag } from '../storage/types.ts';
import { countText, shortDigest, sizeText, timeElement } from './format.ts';
import { type Html, html, type Part } from './html.ts';
import { type ImageOverview, overview } from './image-facts.ts';
import { command, pager, postForm } from './layout.ts';
import { renderMarkdown } from './markdown.ts';
import { notFound, type PageAnswer, pageNumber, type View } from './view.ts';

const tagsPerPage = 20;
/** Platforms of a tag in the list. */
const mostImages = 10;

export interface ShownRepository {
  summary: RepositorySummary;
  isPublic: boolean;
  /** Describe it, delete what is in it. */
  mayManage: boolean;
  /** Somebody, so that a star is whose it is. */
  mayStar: boolean;
}

/** Whom a star belongs to: the open registry has one for everybody. */
export function starOwner(identity: Identity | null): string {
  return identity?.name ?? '';
}

/** The repository of the path's first part. Error: 404, also for one that the visitor may not see. */
export async function shownRepository(view: View): Promise<ShownRepository> {
  const { site, visitor, parts } = view;
  const name = parts[0] ?? '';
  const may = isRepositoryName(name) ? site.guard.actions(visitor.identity, name) : [];
  const summary = may.includes('pull') ? await site.content.index.summary(name) : null;
  if (!summary) throw notFound();
  return {
    summary,
    isPublic: site.guard.actions(null, name).includes('pull'),
    mayManage: may.includes('delete'),
    mayStar: site.guard.isOpen || visitor.identity !== null,
  };
}

export async function repositoryPage(view: View): Promise<PageAnswer> {
  const other = await otherName(view);
  if (other) return { location: `/r/${other}` };
  const shown = await shownRepository(view);
  const { site, query } = view;
  const { name } = shown.summary;
  const term = (query.get('tag') ?? '').slice(0, 128);
  const slice = { offset: (pageNumber(query) - 1) * tagsPerPage, limit: tagsPerPage };
  const tags = site.showcase.tags(name, term, slice);
  const entries: Html[] = [];
  for (const tag of tags.results) {
    const images = await overview(site, { repository: name, digest: tag.digest, most: mostImages });
    entries.push(tagEntry(view, name, tag, images));
  }
  const readme = slice.offset === 0 && term === '' ? await site.content.index.readme(name) : '';
  const body = html`${head(view, shown)}
${pullCommands(pullReference(view.host, name, tags.results))}
${readme !== '' && html`<section aria-labelledby="about"><h2 id="about">About</h2><div class="box about" dir="auto">${renderMarkdown(readme)}</div></section>`}
<section aria-labelledby="tags"><div class="row spread"><h2 id="tags">Tags</h2>${tagFilter(name, term)}</div>
<p class="soft" role="status">${countText(tags.count, 'tag')}${term !== '' && html` with “<bdi>${term}</bdi>”`}</p>
<ul class="cards">${entries}</ul>
${pager(view, tags.count, tagsPerPage)}</section>`;
  return { title: name, body };
}

/** `nginx` and `library/nginx` are what people take for the same: whichever is here. Null: the one of the path. */
async function otherName({ site, visitor, parts }: View): Promise<string | null> {
  const name = parts[0] ?? '';
  const other = name.startsWith('library/') ? name.slice('library/'.length) : `library/${name}`;
  if (!isRepositoryName(name) || !isRepositoryName(other) || namespaceOf(name) !== namespaceOf(other)) return null;
  if (!site.guard.actions(visitor.identity, name).includes('pull')) return null;
  const { index } = site.content;
  if (await index.summary(name)) return null;
  return (await index.summary(other)) && other;
}

function head(view: View, shown: ShownRepository): Html {
  const { name, description, stars, pulls, pushed } = shown.summary;
  const namespace = namespaceOf(name);
  return html`<div class="row spread"><h1>${nameWithOwner(name, namespace)} <span class="badge">${shown.isPublic ? 'Public' : 'Private'}</span></h1>
<div class="row">${starForm(view, shown)}
${shown.mayManage && html`<a class="action quiet" href="/r/${name}/-/edit">Edit</a>`}
${shown.mayManage && view.site.mayDelete && html`<a class="action bad" href="/r/${name}/-/delete">Delete</a>`}</div></div>
${description !== '' && html`<p dir="auto">${description}</p>`}
<p class="facts"><span>${countText(stars, 'star')}</span> <span>${countText(pulls, 'pull')}</span>
${pushed > 0 && html`<span>updated ${timeElement(pushed)}</span>`}</p>`;
}

function nameWithOwner(name: string, namespace: string): Part {
  if (!name.startsWith(`${namespace}/`)) return name;
  return html`<a href="/u/${namespace}">${namespace}</a>/${name.slice(namespace.length + 1)}`;
}

function starForm(view: View, { summary, mayStar }: ShownRepository): Part {
  if (!mayStar) return null;
  const isStarred = view.site.showcase.isStarred(summary.name, starOwner(view.visitor.identity));
  return postForm(
    view,
    `/r/${summary.name}/-/star`,
    html`<button class="quiet" name="starred" value="${isStarred ? 'no' : 'yes'}">${isStarred ? 'Remove star' : 'Star'}</button>`,
  );
}

/** With `latest`, which a pull takes by itself, or the newest tag. */
function pullReference(host: string, name: string, tags: readonly ShownTag[]): string {
  const tag = tags.some((shown) => shown.name === 'latest') ? '' : tags[0] ? `:${tags[0].name}` : '';
  return `${host}/${name}${tag}`;
}

function tagFilter(name: string, term: string): Html {
  return html`<form class="row" action="/r/${name}#tags"><label class="hidden" for="tag">Filter tags</label>
<input id="tag" name="tag" type="search" placeholder="Filter tags" value="${term}" maxlength="128"><button class="quiet">Filter</button></form>`;
}

function tagEntry(view: View, repository: string, tag: ShownTag, shown: ImageOverview): Html {
  return html`<li><div class="row spread"><a class="name" href="/r/${repository}/-/tags/${tag.name}">${tag.name}</a>
<span class="soft">${tag.pushed > 0 && pushedText(tag)}</span></div>
${pullCommands(`${view.host}/${repository}:${tag.name}`, shown.artifactType)[0]}
${shown.artifactType !== '' && html`<p class="facts"><span>${artifactName(shown.artifactType)}</span> <code>${shown.artifactType}</code></p>`}
<div class="wide">${imageTable(repository, tag.digest, shown)}</div></li>`;
}

/** When and by whom. */
export function pushedText({ pushed, pushedBy, isMirrored }: ShownTag): Html {
  const what = isMirrored ? 'fetched' : 'pushed';
  return html`${what} ${timeElement(pushed)}${pushedBy !== null && html` by <a href="/u/${pushedBy}">${pushedBy}</a>`}`;
}

/** How to get it: an engine pulls images only. @param reference with its tag or digest */
export function pullCommands(reference: string, artifactType = ''): [docker: Html, berth?: Html] {
  if (artifactType !== '') return [command(`oras pull ${reference}`)];
  return [command(`docker pull ${reference}`), command(`berth pull ${reference}`)];
}

/** An image for each platform. @param digest of the whole */
export function imageTable(repository: string, digest: string, { images, more }: ImageOverview): Html {
  const rows = images.length > 0 ? images : [{ platform: '', digest, size: null }];
  return html`<table><thead><tr><th scope="col">Digest</th><th scope="col">OS/Arch</th><th class="number" scope="col">Size</th></tr></thead>
<tbody>${rows.map(
    (
      row,
    ) => html`<tr><td><a class="mono" href="/r/${repository}/-/manifests/${row.digest}">${shortDigest(row.digest)}</a></td>
<td>${row.platform || '—'}</td><td class="number">${row.size === null ? '—' : sizeText(row.size)}</td></tr>`,
  )}</tbody></table>${more > 0 && html`<p class="soft">and ${more} more</p>`}`;
}

const artifactNames: [pattern: RegExp, name: string][] = [
  [/simplesigning|cosign.*signature|\.sig\b|sigstore\.bundle|notary\.signature/, 'Signature'],
  [/spdx|cyclonedx|syft/, 'SBOM'],
  [/in-toto|slsa|attestation|provenance|dsse/, 'Attestation'],
  [/helm/, 'Helm chart'],
  [/wasm/, 'WebAssembly'],
  [/sarif|vuln|scan/, 'Scan report'],
];

/** What a type of artifact is for people. */
export function artifactName(type: string): string {
  return artifactNames.find(([pattern]) => pattern.test(type))?.[1] ?? 'Artifact';
}
