/**
 * The registry in a browser: pages made here, with a stylesheet and no script. A page never answers below `/v2/`. Every form carries a token
 * of its browser; whoever may not see something is told the same as of what is not there.
 */

import { Semaphore } from '../../base/semaphore.ts';
import { hostOf } from '../access/guard.ts';
import { readWhole } from '../handlers/requests.ts';
import type { RegistryRequest, RegistryResponse } from '../http.ts';
import { problemOf } from '../problem.ts';
import type { Refusal } from '../registry.ts';
import { home, search } from './home.ts';
import { html } from './html.ts';
import { manifestPage, tagPage } from './image-page.ts';
import { frame } from './layout.ts';
import { accessPage, changeAccess, namespacePage } from './namespace.ts';
import { repositoryPage } from './repository.ts';
import {
  deleteRepository,
  deleteRepositoryForm,
  deleteTag,
  deleteTagForm,
  edit,
  editForm,
  star,
} from './repository-forms.ts';
import { changePassword, makeToken, revokeToken, settingsPage, usersPage } from './settings.ts';
import { SignInLimits, signIn, signInForm, signOut, signUp, signUpForm } from './sign-in.ts';
import type { Site } from './site.ts';
import { icon, style, stylePath } from './style.ts';
import { notFound, type Page, type PageAnswer, type PageHandler, PageProblem, type View } from './view.ts';
import { Visitor } from './visitor.ts';

/** Bytes of a form: a long description in other letters than ours, each of them written as %XX. */
const longestForm = 1024 * 1024;

/** Pages that are being made at a time: each may read some megabytes of manifests. None of them waits for its client, or for a slow hash. */
const mostAtOnce = 8;

const safety = {
  'Content-Security-Policy':
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
};
const forEver = { 'Cache-Control': 'public, max-age=31536000, immutable' };

interface Route {
  pattern: RegExp;
  GET?: PageHandler;
  POST?: PageHandler;
}

export class Pages {
  readonly #site: Site;
  readonly #routes: readonly Route[];
  readonly #room = new Semaphore(mostAtOnce);
  readonly #files: Record<string, { type: string; text: string }> = {
    [stylePath]: { type: 'text/css; charset=utf-8', text: style },
    '/favicon.svg': { type: 'image/svg+xml', text: icon },
  };

  constructor(site: Site) {
    this.#site = site;
    this.#routes = routes(new SignInLimits());
  }

  /** Answers one request. Gives what was wrong with it, or null. @param path decoded */
  async handle(request: RegistryRequest, response: RegistryResponse, path: string): Promise<Refusal | null> {
    Object.assign(response.headers, safety);
    const file = this.#files[path];
    if (file && request.method !== 'POST') {
      response.send(200, { 'Content-Type': file.type, ...forEver }, file.text);
      return null;
    }
    const question = request.target.indexOf('?');
    const view: View = {
      site: this.#site,
      visitor: await Visitor.of(this.#site, request),
      request,
      host: hostOf(request),
      path,
      query: new URLSearchParams(question < 0 ? '' : request.target.slice(question + 1)),
      form: new URLSearchParams(),
      parts: [],
    };
    let refusal: Refusal | null = null;
    const answer = await this.#answer(view).catch((error: unknown) => {
      const page = problemPage(view, error);
      refusal = { status: page.status, error };
      return page;
    });
    send(view, response, answer);
    // A form that was sent back says why in its page.
    if ('status' in answer && answer.status) refusal ??= { status: answer.status, error: new Error(answer.title) };
    return refusal;
  }

  async #answer(view: View): Promise<PageAnswer> {
    const { method } = view.request;
    const verb = method === 'HEAD' ? 'GET' : method;
    for (const { pattern, ...handlers } of this.#routes) {
      const found = pattern.exec(view.path);
      if (!found) continue;
      const handler = verb === 'GET' || verb === 'POST' ? handlers[verb] : undefined;
      if (!handler)
        throw new PageProblem(405, 'That cannot be done with this page.', { Allow: Object.keys(handlers).join(', ') });
      const parts = found.slice(1);
      if (verb === 'POST') return handler({ ...view, form: await readForm(view), parts });
      const release = await this.#room.acquire();
      try {
        return await handler({ ...view, parts });
      } finally {
        release();
      }
    }
    throw notFound();
  }
}

function routes(limits: SignInLimits): Route[] {
  return [
    { pattern: /^\/$/, GET: home },
    { pattern: /^\/search$/, GET: search },
    { pattern: /^\/sign-in$/, GET: signInForm, POST: (view) => signIn(view, limits) },
    { pattern: /^\/sign-out$/, POST: signOut },
    { pattern: /^\/sign-up$/, GET: signUpForm, POST: (view) => signUp(view, limits) },
    { pattern: /^\/settings$/, GET: settingsPage },
    { pattern: /^\/settings\/password$/, POST: (view) => changePassword(view, limits) },
    { pattern: /^\/settings\/tokens$/, POST: makeToken },
    { pattern: /^\/settings\/tokens\/revoke$/, POST: revokeToken },
    { pattern: /^\/users$/, GET: usersPage },
    { pattern: /^\/u\/([^/]+)$/, GET: namespacePage },
    { pattern: /^\/u\/([^/]+)\/-\/access$/, GET: accessPage, POST: changeAccess },
    // A part of a name never is "-".
    { pattern: /^\/r\/(.+)\/-\/edit$/, GET: editForm, POST: edit },
    { pattern: /^\/r\/(.+)\/-\/star$/, POST: star },
    { pattern: /^\/r\/(.+)\/-\/delete$/, GET: deleteRepositoryForm, POST: deleteRepository },
    { pattern: /^\/r\/(.+)\/-\/tags\/([^/]+)$/, GET: tagPage },
    { pattern: /^\/r\/(.+)\/-\/tags\/([^/]+)\/delete$/, GET: deleteTagForm, POST: deleteTag },
    { pattern: /^\/r\/(.+)\/-\/manifests\/([^/]+)$/, GET: manifestPage },
    { pattern: /^\/r\/(.+)$/, GET: repositoryPage },
  ];
}

/** Error: 403 for a form that is not of this browser, 413, 415. */
async function readForm(view: View): Promise<URLSearchParams> {
  const { request, visitor } = view;
  const type = request.headers.get('content-type') ?? '';
  if (!/^application\/x-www-form-urlencoded\b/i.test(type)) throw new PageProblem(415, 'That is no form.');
  const form = new URLSearchParams((await readWhole(request, longestForm)).toString());
  if (!visitor.isFormToken(form.get('form-token') ?? ''))
    throw new PageProblem(
      403,
      'This form is too old, or not one of ours. Go back, load its page again and send it once more.',
    );
  return form;
}

const titles: Record<number, string> = {
  403: 'Not allowed',
  404: 'Not found',
  405: 'Not possible',
  413: 'Too long',
  415: 'No form',
  429: 'Too many attempts',
  507: 'The disk is full',
};

function problemPage(view: View, error: unknown): Page & { status: number } {
  const { status, message, headers } = error instanceof PageProblem ? error : problemOf(error);
  const title = titles[status] ?? 'That did not work';
  const text = status === 500 ? 'The log of the registry says why.' : message;
  const mayHelp = (status === 404 || status === 403) && !view.visitor.identity && !view.site.guard.isOpen;
  const next = view.request.method === 'GET' ? `?next=${encodeURIComponent(view.path)}` : '';
  const body = html`<h1>${title}</h1><p>${text}</p>${mayHelp && html`<p><a href="/sign-in${next}">Sign in</a> to see more.</p>`}`;
  return { status, title, body, headers };
}

function send(view: View, response: RegistryResponse, answer: PageAnswer): void {
  if ('location' in answer) {
    response.send(303, { Location: answer.location, 'Cache-Control': 'no-store', ...view.visitor.headers });
    return;
  }
  const text = frame(view, answer);
  response.send(
    answer.status ?? 200,
    {
      'Content-Type': 'text/html; charset=utf-8',
      // What it shows depends on who asks, and may be gone for them a moment later.
      'Cache-Control': 'no-store',
      ...answer.headers,
      ...view.visitor.headers,
    },
    text,
  );
}
