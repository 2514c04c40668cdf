/** A namespace: the repositories of a user, who may pull them, and who else may do more. */

import type { Role } from '../access/accounts.ts';
import { isRepositoryName } from '../names.ts';
import { RegistryProblem } from '../problem.ts';
import { countText } from './format.ts';
import { type Html, html } from './html.ts';
import { field, notice, pager, postForm, repositoryCards } from './layout.ts';
import { notFound, type PageAnswer, PageProblem, pageNumber, type View } from './view.ts';

const perPage = 20;
const roles: [Role, string][] = [
  ['read', 'Read: pull'],
  ['write', 'Write: pull and push'],
  ['admin', 'Admin: pull, push, describe and delete'],
];

/** Error: 404 where the visitor sees nothing of it. */
export function namespacePage(view: View): PageAnswer {
  const { site, visitor, query } = view;
  const namespace = namespaceName(view);
  const mayRule = site.guard.mayRule(visitor.identity, namespace);
  const mayPull = site.guard.actions(visitor.identity, `${namespace}/x`).includes('pull');
  const slice = { offset: (pageNumber(query) - 1) * perPage, limit: perPage };
  const { count, results } = mayPull ? site.showcase.ofNamespace(namespace, slice) : { count: 0, results: [] };
  const isOwn = visitor.identity?.name === namespace;
  if (count === 0 && !isOwn && !(mayRule && site.accounts.user(namespace))) throw notFound();
  const isPublic = site.guard.actions(null, `${namespace}/x`).includes('pull');
  const body = html`<div class="row spread"><h1>${namespace} <span class="badge">${isPublic ? 'Public' : 'Private'}</span></h1>
${mayRule && !site.guard.isOpen && html`<a class="action quiet" href="/u/${namespace}/-/access">Access</a>`}</div>
<p class="soft">${countText(count, 'repository', 'repositories')}</p>
${repositoryCards(results)}${pager(view, count, perPage)}`;
  return { title: namespace, body };
}

export function accessPage(view: View): PageAnswer {
  return showAccess(view, ruledNamespace(view), null);
}

function showAccess(view: View, namespace: string, problem: string | null): PageAnswer {
  const { site } = view;
  const isPublic = site.accounts.isPublic(namespace);
  const path = `/u/${namespace}/-/access`;
  const isOpenToAll = !isPublic && site.guard.actions(null, `${namespace}/x`).includes('pull');
  const body = html`<p><a href="/u/${namespace}">${namespace}</a></p><h1>Access to ${namespace}</h1>${notice(problem)}
<section class="box"><h2>Who may pull</h2>
${isOpenToAll && html`<p>This registry lets everybody pull everything, whatever is said here.</p>`}
<p>${isPublic ? 'Everybody may pull every repository of this namespace, without an account too.' : 'Only members may pull.'}</p>
${postForm(view, path, html`<button class="quiet" name="public" value="${isPublic ? 'no' : 'yes'}">${isPublic ? 'Make it private' : 'Make it public'}</button>`)}</section>
<section class="box"><h2>Members</h2>${memberTable(view, namespace)}
<h3>Add a member, or change what they may do</h3>
${postForm(
  view,
  path,
  html`${field({ name: 'user', label: 'User' })}
<div class="field"><label for="role">May</label><select id="role" name="role">${roles.map(([role, text]) => html`<option value="${role}">${text}</option>`)}</select></div>
<button>Grant</button>`,
)}</section>`;
  return { title: `Access to ${namespace}`, body, ...(problem && { status: 400 }) };
}

function memberTable(view: View, namespace: string): Html {
  const members = view.site.showcase.members(namespace);
  if (members.length === 0)
    return html`<p class="soft">Nobody but ${namespace === 'library' ? 'admins' : namespace}.</p>`;
  return html`<table><thead><tr><th scope="col">User</th><th scope="col">May</th><th scope="col"><span class="hidden">Revoke</span></th></tr></thead>
<tbody>${members.map(
    ({ user, role }) => html`<tr><td>${user}</td><td>${role}</td>
<td>${postForm(view, `/u/${namespace}/-/access`, html`<button class="link" name="revoke" value="${user}">Revoke<span class="hidden"> ${user}</span></button>`)}</td></tr>`,
  )}</tbody></table>`;
}

/** One of three forms: public or private, a grant, a revocation. */
export async function changeAccess(view: View): Promise<PageAnswer> {
  const { site, form } = view;
  const namespace = ruledNamespace(view);
  const user = form.get('revoke') ?? form.get('user') ?? '';
  const role = roles.find(([name]) => name === form.get('role'))?.[0] ?? null;
  try {
    if (form.has('public')) await site.accounts.setPublic(namespace, form.get('public') === 'yes');
    else if (form.has('revoke')) await site.accounts.grant(namespace, user, null);
    else if (role === null) return showAccess(view, namespace, 'Say what they may do.');
    else await site.accounts.grant(namespace, user.trim(), role);
  } catch (error) {
    if (error instanceof RegistryProblem) return showAccess(view, namespace, `There is no user "${user}".`);
    throw error;
  }
  return { location: `/u/${namespace}/-/access` };
}

function namespaceName(view: View): string {
  const name = view.parts[0] ?? '';
  if (!isRepositoryName(name) || name.includes('/')) throw notFound();
  return name;
}

/** Error: 404 for whoever may see nothing of it, 403 for who does not own it. */
function ruledNamespace(view: View): string {
  const namespace = namespaceName(view);
  const { guard } = view.site;
  if (guard.isOpen) throw new PageProblem(404, 'There are no users yet: everybody may do everything.');
  if (guard.mayRule(view.visitor.identity, namespace)) return namespace;
  if (!guard.actions(view.visitor.identity, `${namespace}/x`).includes('pull')) throw notFound();
  throw new PageProblem(403, `You may not change who has access to ${namespace}.`);
}
