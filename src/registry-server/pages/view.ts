/** What every page works with. */
import type { Identity } from '../access/passwords.ts';
import type { RegistryRequest } from '../http.ts';
import type { Html } from './html.ts';
import type { Site } from './site.ts';
import type { Visitor } from './visitor.ts';

/** One request for a page. */
export interface View {
  site: Site;
  visitor: Visitor;
  request: RegistryRequest;
  /** `host:port` as the browser knows it: what stands in front of names in `docker pull`. */
  host: string;
  path: string;
  query: URLSearchParams;
  /** Of a POST, whose token was right; otherwise empty. */
  form: URLSearchParams;
  /** What the route's pattern found in the path. */
  parts: readonly string[];
}

export type PageAnswer = Page | Redirect;

export interface Page {
  status?: number;
  title: string;
  body: Html;
  /** Text of the search field. */
  term?: string;
  /** Sent with it. */
  headers?: Record<string, string>;
}

/** To another page of ours, by GET. */
export interface Redirect {
  location: string;
}

export type PageHandler = (view: View) => PageAnswer | Promise<PageAnswer>;

/** A page that says no. Thrown anywhere below the pages' front. */
export class PageProblem extends Error {
  override readonly name = 'PageProblem';
  readonly status: number;
  readonly headers: Record<string, string>;

  constructor(status: number, message: string, headers: Record<string, string> = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
  }
}

/** The same for what is not there and for what the visitor may not know of. */
export function notFound(): PageProblem {
  return new PageProblem(404, 'There is no such page, or you may not see it.');
}

/** Who is signed in. Error: 403 for a visitor. */
export function requireSignedIn(view: View): Identity {
  if (view.visitor.identity) return view.visitor.identity;
  throw new PageProblem(403, 'Sign in first.');
}

/** Positive; anything else is the first. */
export function pageNumber(query: URLSearchParams): number {
  const text = query.get('page') ?? '';
  return /^[1-9]\d{0,6}$/.test(text) ? Number(text) : 1;
}
