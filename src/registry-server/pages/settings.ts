/** One's own account: password and access tokens; and for admins, who has one. */

import type { AccessToken } from '../access/access-tokens.ts';
import type { Role } from '../access/accounts.ts';
import { RegistryProblem } from '../problem.ts';
import { countText, timeElement } from './format.ts';
import { type Html, html, type Part } from './html.ts';
import { command, field, notice, pager, postForm } from './layout.ts';
import { attempt, passwordFields, passwordProblem, type SignInLimits } from './sign-in.ts';
import { notFound, type PageAnswer, PageProblem, pageNumber, requireSignedIn, type View } from './view.ts';

const usersPerPage = 50;
const longestTokenName = 64;
const tokenRoles: [Role, string][] = [
  ['read', 'Pull'],
  ['write', 'Pull and push'],
  ['admin', 'Pull, push and delete'],
];

interface Shown {
  problem?: string;
  done?: string;
  /** A token that was just made: shown this once. */
  secret?: string;
}

export function settingsPage(view: View): PageAnswer {
  if (!view.visitor.identity) return { location: '/sign-in?next=/settings' };
  return showSettings(
    view,
    view.query.get('done') === 'password' ? { done: 'The password is changed. Other browsers are signed out.' } : {},
  );
}

function showSettings(view: View, shown: Shown): PageAnswer {
  const { name } = requireSignedIn(view);
  const body = html`<h1>Settings of ${name}</h1>${notice(shown.problem ?? null)}${notice(shown.done ?? null, 'done')}
${shown.secret !== undefined && newToken(view, name, shown.secret)}
<p><a href="/u/${name}/-/access">Who may pull from and push to ${name}/…</a></p>
<section class="box"><h2>Access tokens</h2>
<p class="soft">For machines: they stand in for your password at <code>docker login</code>, and can be revoked one by one.</p>
${tokenTable(view, name)}
<h3>New token</h3>
${postForm(
  view,
  '/settings/tokens',
  html`${field({ name: 'name', label: 'What it is for', most: longestTokenName })}
<div class="field"><label for="role">May</label><select id="role" name="role">${tokenRoles.map(([role, text]) => html`<option value="${role}">${text}</option>`)}</select></div>
<button>Make a token</button>`,
)}</section>
<section class="box"><h2>Password</h2>${passwordSection(view, name)}</section>`;
  return { title: 'Settings', body, ...(shown.problem && { status: 400 }) };
}

function newToken(view: View, user: string, secret: string): Html {
  return html`<div class="box" role="status"><p>Here is the new token. It is shown this once.</p>${html`<pre class="command" tabindex="0"><code>${secret}</code></pre>`}
${command(`docker login -u ${user} ${view.host}`)}</div>`;
}

function tokenTable(view: View, user: string): Part {
  const tokens = view.site.accessTokens.of(user);
  if (tokens.length === 0) return html`<p>You have none.</p>`;
  return html`<div class="wide"><table><thead><tr><th scope="col">Name</th><th scope="col">May</th><th scope="col">Made</th><th scope="col">Used</th><th scope="col"><span class="hidden">Revoke</span></th></tr></thead>
<tbody>${tokens.map((token) => tokenRow(view, token))}</tbody></table></div>`;
}

function tokenRow(view: View, { id, name, role, created, used }: AccessToken): Html {
  const may = tokenRoles.find(([known]) => known === role)?.[1] ?? role;
  return html`<tr><td><bdi>${name}</bdi></td><td>${may}</td><td>${timeElement(created)}</td><td>${used > 0 ? timeElement(used) : 'never'}</td>
<td>${postForm(view, '/settings/tokens/revoke', html`<button class="link" name="id" value="${id}">Revoke<span class="hidden"> ${name}</span></button>`)}</td></tr>`;
}

function passwordSection(view: View, user: string): Html {
  if (!view.site.accounts.user(user))
    return html`<p>Yours is in the file of this registry (<code>htpasswd</code>), where whoever runs it can change it.</p>`;
  return postForm(
    view,
    '/settings/password',
    html`<input type="text" name="user" value="${user}" autocomplete="username" readonly hidden>
${field({ name: 'current', label: 'Current password', type: 'password', autocomplete: 'current-password' })}
${passwordFields()}<button>Change the password</button>`,
  );
}

/** Everybody else who is signed in as this user is signed out: sessions count for one password. */
export async function changePassword(view: View, limits: SignInLimits): Promise<PageAnswer> {
  const { site, form, visitor } = view;
  const { name } = requireSignedIn(view);
  if (!site.accounts.user(name)) throw notFound();
  const problem = passwordProblem(form);
  if (problem) return showSettings(view, { problem });
  if (!(await attempt(view, limits, { name, password: form.get('current') ?? '' })))
    return showSettings(view, { problem: 'The current password is another one.' });
  await site.accounts.setPassword(name, await site.hashes.hash(form.get('password') ?? ''));
  await visitor.signIn(name);
  return { location: '/settings?done=password' };
}

export async function makeToken(view: View): Promise<PageAnswer> {
  const { site, form } = view;
  const user = requireSignedIn(view).name;
  const name = (form.get('name') ?? '').trim();
  const role = tokenRoles.find(([known]) => known === form.get('role'))?.[0];
  if (!role || name === '' || name.length > longestTokenName)
    return showSettings(view, { problem: 'Say what the token is for, and what it may do.' });
  try {
    return showSettings(view, { secret: await site.accessTokens.add(user, { name, role }) });
  } catch (error) {
    if (error instanceof RegistryProblem) return showSettings(view, { problem: `Refused: ${error.message}.` });
    throw error;
  }
}

export async function revokeToken(view: View): Promise<PageAnswer> {
  const { name } = requireSignedIn(view);
  if (!(await view.site.accessTokens.revoke(name, Number(view.form.get('id')) || 0))) throw notFound();
  return { location: '/settings' };
}

/** For admins. */
export function usersPage(view: View): PageAnswer {
  const { site } = view;
  if (!view.visitor.identity) return { location: '/sign-in?next=/users' };
  if (!requireSignedIn(view).isAdmin) throw new PageProblem(403, 'Only admins see who has an account.');
  const users = site.accounts.users();
  const counts = site.showcase.repositoryCounts();
  const start = (pageNumber(view.query) - 1) * usersPerPage;
  const rows = users.slice(start, start + usersPerPage).map(
    ({
      name,
      isAdmin,
      created,
    }) => html`<tr><td><a href="/u/${name}">${name}</a></td><td>${isAdmin ? 'admin' : 'user'}</td>
<td>${timeElement(created)}</td><td class="number">${counts.get(name) ?? 0}</td></tr>`,
  );
  const body = html`<h1>Users</h1><p class="soft">${countText(users.length, 'user')}. <code>berth registry user add|rm|passwd</code> changes them.
Names without a user’s in front belong to <a href="/u/library/-/access">library</a>.</p>
<div class="box wide"><table><thead><tr><th scope="col">Name</th><th scope="col">Role</th><th scope="col">Since</th><th class="number" scope="col">Repositories</th></tr></thead>
<tbody>${rows}</tbody></table></div>${pager(view, users.length, usersPerPage)}`;
  return { title: 'Users', body };
}
