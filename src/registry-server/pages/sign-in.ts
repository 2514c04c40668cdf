/** In, out, and the first time. */
import { Attempts } from '../access/attempts.ts';
import { networkOf } from '../http.ts';
import { RegistryProblem } from '../problem.ts';
import { html } from './html.ts';
import { field, notice, postForm } from './layout.ts';
import { notFound, type PageAnswer, PageProblem, type View } from './view.ts';

const leastPassword = 8;
const mostPassword = 200;
const mostName = 64;
const minute = 60_000;

/**
 * Wrong passwords are counted for a name from one address, and for an address. A browser in which the user was signed in before has its own count,
 * so that nobody, behind the same address either, can lock them out there.
 */
export class SignInLimits {
  readonly names = new Attempts({ most: 10, window: 15 * minute });
  readonly addresses = new Attempts({ most: 60, window: 15 * minute });
  readonly accounts = new Attempts({ most: 10, window: 60 * minute });
}

export function signInForm(view: View): PageAnswer {
  if (view.site.guard.isOpen) throw notFound();
  if (view.visitor.identity) return { location: localPath(view.query.get('next')) };
  return signInPage(view, { name: '', next: view.query.get('next'), problem: null });
}

function signInPage(view: View, shown: { name: string; next: string | null; problem: string | null }): PageAnswer {
  const { name, next, problem } = shown;
  const fields = html`<input type="hidden" name="next" value="${localPath(next)}">
${field({ name: 'name', label: 'User name', value: name, autocomplete: 'username', most: mostName })}
${field({ name: 'password', label: 'Password', type: 'password', autocomplete: 'current-password', most: mostPassword })}
<button>Sign in</button>`;
  const body = html`<div class="narrow"><h1>Sign in</h1>${notice(problem)}
${postForm(view, '/sign-in', fields, { class: 'box' })}
${view.site.maySignUp && html`<p>No account yet? <a href="/sign-up">Sign up</a></p>`}</div>`;
  return { title: 'Sign in', body, ...(problem && { status: 403 }) };
}

export async function signIn(view: View, limits: SignInLimits): Promise<PageAnswer> {
  const { site, form, visitor } = view;
  if (site.guard.isOpen) throw notFound();
  const name = (form.get('name') ?? '').trim();
  const next = form.get('next');
  const isRight = await attempt(view, limits, { name, password: form.get('password') ?? '' });
  if (!isRight) return signInPage(view, { name, next, problem: 'That is not the name of a user and their password.' });
  await visitor.signIn(name);
  return { location: localPath(next) };
}

/** The user's password, not an access token. Error: 429 after too many wrong ones. */
export async function attempt(
  view: View,
  limits: SignInLimits,
  given: { name: string; password: string },
): Promise<boolean> {
  const { name, password } = given;
  if (name.length > mostName || password.length > mostPassword) return false;
  const address = networkOf(view.request);
  const known = view.visitor.knownAs(name);
  const key = known === null ? `${address} ${name}` : `known ${known}`;
  refuseAfter(limits.names.take(key), 'sign in');
  if (known === null) refuseAfter(limits.addresses.take(address), 'sign in');
  const identity = await view.site.passwords.check(name, password);
  if (!identity || identity.key) return false;
  limits.names.forget(key);
  if (known === null) limits.addresses.giveBack(address);
  return true;
}

function refuseAfter(seconds: number, what: string): void {
  if (seconds === 0) return;
  const text = `Too many attempts to ${what}. Try again in ${Math.ceil(seconds / 60)} minutes.`;
  throw new PageProblem(429, text, { 'Retry-After': String(seconds) });
}

export async function signOut(view: View): Promise<PageAnswer> {
  await view.visitor.signOut();
  return { location: '/' };
}

export function signUpForm(view: View): PageAnswer {
  if (!view.site.maySignUp) throw notFound();
  if (view.visitor.identity) return { location: '/' };
  return signUpPage(view, { name: '', problem: null });
}

function signUpPage(view: View, { name, problem }: { name: string; problem: string | null }): PageAnswer {
  const fields = html`${field({
    ...{ name: 'name', label: 'User name', value: name, autocomplete: 'username', most: mostName },
    hint: 'Your repositories begin with it. Small letters and digits, between them also dots, dashes and underscores.',
  })}
${passwordFields()}<button>Sign up</button>`;
  const body = html`<div class="narrow"><h1>Sign up</h1>${notice(problem)}
${postForm(view, '/sign-up', fields, { class: 'box' })}<p>You have an account? <a href="/sign-in">Sign in</a></p></div>`;
  return { title: 'Sign up', body, ...(problem && { status: 400 }) };
}

/** A new password, twice. */
export function passwordFields() {
  return html`${field({
    ...{ name: 'password', label: 'New password', type: 'password', autocomplete: 'new-password', most: mostPassword },
    hint: `At least ${leastPassword} characters.`,
  })}
${field({ name: 'again', label: 'New password again', type: 'password', autocomplete: 'new-password', most: mostPassword })}`;
}

/** Null: it is a good one. */
export function passwordProblem(form: URLSearchParams): string | null {
  const password = form.get('password') ?? '';
  if (password.length < leastPassword) return `The password must have at least ${leastPassword} characters.`;
  if (password.length > mostPassword) return `The password may have at most ${mostPassword} characters.`;
  return password === form.get('again') ? null : 'The two passwords are not the same.';
}

export async function signUp(view: View, limits: SignInLimits): Promise<PageAnswer> {
  const { site, form, visitor } = view;
  if (!site.maySignUp) throw notFound();
  const name = (form.get('name') ?? '').trim();
  const problem = nameProblem(view, name) ?? passwordProblem(form);
  if (problem) return signUpPage(view, { name, problem });
  refuseAfter(limits.accounts.take(networkOf(view.request)), 'sign up');
  const password = await site.hashes.hash(form.get('password') ?? '');
  try {
    await site.accounts.add({ name, password, isAdmin: false });
  } catch (error) {
    if (error instanceof RegistryProblem && error.status < 500)
      return signUpPage(view, { name, problem: error.message });
    throw error;
  }
  await visitor.signIn(name);
  return { location: `/u/${name}` };
}

/** A name is a namespace: nobody gets one that has something in it already, nor that of the names without one. */
function nameProblem({ site }: View, name: string): string | null {
  if (name.length < 2 || name.length > mostName) return `The name must have 2 to ${mostName} characters.`;
  if (!/^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/.test(name))
    return 'The name may have small letters and digits, between them also dots, dashes and underscores.';
  const isTaken = name === 'library' || site.accounts.user(name) !== null || site.showcase.isTaken(name);
  return isTaken ? `The name ${name} is taken.` : null;
}

/** Of this registry, whatever somebody wrote into a link. */
function localPath(text: string | null): string {
  const base = 'http://registry.invalid';
  if (!text?.startsWith('/') || !URL.canParse(text, base)) return '/';
  const url = new URL(text, base);
  return url.origin === base ? `${url.pathname}${url.search}` : '/';
}
