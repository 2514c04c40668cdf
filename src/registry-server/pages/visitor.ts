/** Whoever looks at the pages: a browser with a cookie, perhaps one that somebody is signed in with. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { type Browser, browserLifetime } from '../access/browsers.ts';
import { originOf } from '../access/guard.ts';
import type { Identity } from '../access/passwords.ts';
import { newSecret } from '../access/secret.ts';
import type { RegistryRequest } from '../http.ts';
import type { Site } from './site.ts';

export class Visitor {
  /** Null: nobody is signed in. */
  readonly identity: Identity | null;
  readonly #site: Site;
  readonly #cookieName: string;
  readonly #isSecure: boolean;
  readonly #browser: Browser | null;
  #secret: string | null;
  /** To be sent with the answer; null: the browser has it already. */
  #newCookie: string | null = null;

  private constructor(
    site: Site,
    request: RegistryRequest,
    found: { secret: string | null; browser: Browser | null; identity: Identity | null },
  ) {
    this.#site = site;
    this.#isSecure = originOf(request).startsWith('https:');
    this.#cookieName = cookieName(site, this.#isSecure);
    this.#secret = found.secret;
    this.#browser = found.browser;
    this.identity = found.identity;
  }

  static async of(site: Site, request: RegistryRequest): Promise<Visitor> {
    const name = cookieName(site, originOf(request).startsWith('https:'));
    const secret = readCookie(request.headers.get('cookie') ?? '', name);
    const browser = secret === null ? null : site.browsers.find(secret);
    const isSession =
      browser !== null && browser.ends > Date.now() && (await site.passwords.stamp(browser.user)) === browser.stamp;
    const identity = isSession ? await site.passwords.known(browser.user) : null;
    return new Visitor(site, request, { secret, browser, identity });
  }

  /** The browser that the user signed in with before; null: a stranger's. */
  knownAs(user: string): string | null {
    return this.#browser?.user === user ? this.#secret : null;
  }

  /** Error: nobody has that name any more. */
  async signIn(user: string): Promise<void> {
    const stamp = (await this.#site.passwords.stamp(user)) ?? '';
    this.#secret = await this.#site.browsers.begin({ user, stamp }, this.#secret);
    this.#newCookie = `${this.#secret}; Max-Age=${browserLifetime / 1000}`;
  }

  async signOut(): Promise<void> {
    if (this.#secret !== null) await this.#site.browsers.end(this.#secret);
  }

  /** What each form of this browser carries, so that no other site can send one. */
  formToken(): string {
    if (this.#secret === null) {
      this.#secret = newSecret();
      this.#newCookie = this.#secret;
    }
    return createHmac('sha256', this.#site.key).update(`form\0${this.#secret}`).digest('base64url');
  }

  isFormToken(token: string): boolean {
    if (this.#secret === null) return false;
    const [given, right] = [Buffer.from(token), Buffer.from(this.formToken())];
    return given.length === right.length && timingSafeEqual(given, right);
  }

  get headers(): Record<string, string> {
    if (this.#newCookie === null) return {};
    const secure = this.#isSecure ? '; Secure' : '';
    return { 'Set-Cookie': `${this.#cookieName}=${this.#newCookie}; Path=/; HttpOnly; SameSite=Lax${secure}` };
  }
}

/** Of its own for each registry: browsers keep the cookies of all ports of a host together. */
function cookieName(site: Site, isSecure: boolean): string {
  const id = createHmac('sha256', site.key).update('cookie').digest('hex').slice(0, 8);
  // With this prefix browsers take it from nobody but this host, and only over TLS.
  return `${isSecure ? '__Host-' : ''}berth-${id}`;
}

/** Null: none, or none of ours. */
function readCookie(header: string, name: string): string | null {
  for (const pair of header.split(';')) {
    const [key = '', value = ''] = pair.trim().split('=', 2);
    if (key === name && /^[\w-]{43}$/.test(value)) return value;
  }
  return null;
}
