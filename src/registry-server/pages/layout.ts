/** The frame around every page, and the pieces that several pages are made of. */
import type { RepositorySummary } from '../storage/types.ts';
import { countText, timeElement } from './format.ts';
import { type Html, html, type Part } from './html.ts';
import { stylePath } from './style.ts';
import { type Page, pageNumber, type View } from './view.ts';

export function frame(view: View, page: Page): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${page.title} · ${view.host}</title>
<link rel="icon" href="/favicon.svg" type="image/svg+xml">
<link rel="stylesheet" href="${stylePath}">
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header class="top">
<a class="brand" href="/">${view.host}</a>
<form class="search" action="/search" role="search">
<label class="hidden" for="q">Search repositories</label>
<input id="q" name="q" type="search" placeholder="Search repositories" value="${page.term ?? ''}" maxlength="200">
<button>Search</button>
</form>
<nav aria-label="Account">${accountLinks(view)}</nav>
</header>
<main id="main">
${page.body}
</main>
<footer>A <a href="/">Berth registry</a>. It speaks the OCI Distribution Specification.</footer>
</body>
</html>
`.text;
}

function accountLinks(view: View): Part {
  const { site, visitor } = view;
  const { identity } = visitor;
  if (site.guard.isOpen) return null;
  if (!identity)
    return html`<a href="/sign-in">Sign in</a>${site.maySignUp && html`<a class="button" href="/sign-up">Sign up</a>`}`;
  return html`<a href="/u/${identity.name}">${identity.name}</a>
<a href="/settings">Settings</a>${identity.isAdmin && html` <a href="/users">Users</a>`}
${postForm(view, '/sign-out', html`<button class="link">Sign out</button>`)}`;
}

/** A form with its token. */
export function postForm(view: View, action: string, fields: Html, attributes: { class?: string } = {}): Html {
  return html`<form method="post" action="${action}"${attributes.class && html` class="${attributes.class}"`}>
<input type="hidden" name="form-token" value="${view.visitor.formToken()}">
${fields}
</form>`;
}

export interface Field {
  name: string;
  label: string;
  type?: 'text' | 'password';
  value?: string;
  hint?: Part;
  /** For password managers: `username`, `current-password`, … */
  autocomplete?: string;
  isOptional?: boolean;
  most?: number;
}

export function field(options: Field): Html {
  const { name, label, type = 'text', value = '', hint, autocomplete = 'off', most = 1000 } = options;
  return html`<div class="field"><label for="${name}">${label}</label>
<input id="${name}" name="${name}" type="${type}" value="${value}" autocomplete="${autocomplete}" autocapitalize="none"
 spellcheck="false" maxlength="${most}"${!options.isOptional && html` required`}${hint ? html` aria-describedby="${name}-hint"` : ''}>
${hint ? html`<p class="hint" id="${name}-hint">${hint}</p>` : ''}</div>`;
}

/** What went wrong with a form, or what was done. */
export function notice(text: string | null, kind: 'error' | 'done' = 'error'): Part {
  return text !== null && html`<p class="notice ${kind}" role="${kind === 'error' ? 'alert' : 'status'}">${text}</p>`;
}

/** A command to be copied: one click selects it whole. */
export function command(text: string): Html {
  return html`<pre class="command" tabindex="0"><code>${text}</code></pre>`;
}

export function repositoryCards(repositories: readonly RepositorySummary[]): Html {
  return html`<ul class="cards">${repositories.map(card)}</ul>`;
}

function card({ name, description, stars, pulls, pushed }: RepositorySummary): Html {
  return html`<li><a class="name" href="/r/${name}">${name}</a>
${description !== '' && html`<p dir="auto">${firstLine(description)}</p>`}
<p class="facts"><span>${countText(stars, 'star')}</span> <span>${countText(pulls, 'pull')}</span>
${pushed > 0 && html`<span>updated ${timeElement(pushed)}</span>`}</p></li>`;
}

function firstLine(text: string): string {
  const [line = ''] = text.trim().split('\n', 1);
  return line.length > 200 ? `${line.slice(0, 199)}…` : line;
}

/** Links to the other pages of a list; none where there is one. */
export function pager(view: View, count: number, perPage: number): Part {
  const last = Math.max(1, Math.ceil(count / perPage));
  const page = pageNumber(view.query);
  if (last === 1) return null;
  const link = (to: number, text: string, rel: string): Part => {
    if (to < 1 || to > last) return html`<span aria-disabled="true">${text}</span>`;
    const query = new URLSearchParams(view.query);
    query.set('page', String(to));
    return html`<a rel="${rel}" href="${view.path}?${query.toString()}">${text}</a>`;
  };
  return html`<nav class="pager" aria-label="Pages">${link(page - 1, 'Previous', 'prev')}
<span>Page ${page} of ${last}</span> ${link(page + 1, 'Next', 'next')}</nav>`;
}
