/** What may be done with a repository: describe, star, delete it or a tag of it. */
import { longestManifest } from '../../oci/manifest.ts';
import { longestDescription, longestReadme } from '../handlers/repositories.ts';
import { countText, shortDigest } from './format.ts';
import { html } from './html.ts';
import { readManifest } from './image-facts.ts';
import { field, notice, postForm } from './layout.ts';
import { type ShownRepository, shownRepository, starOwner } from './repository.ts';
import { notFound, type PageAnswer, PageProblem, type View } from './view.ts';

/** Bytes of descriptors of referrers that go with their subject. */
const mostReferrers = 4 * 1024 * 1024;

export async function editForm(view: View): Promise<PageAnswer> {
  const { summary } = await managed(view);
  const { name, description } = summary;
  return editPage(view, { name, description, readme: await view.site.content.index.readme(name), problem: null });
}

export async function edit(view: View): Promise<PageAnswer> {
  const { site, form } = view;
  const { name } = (await managed(view)).summary;
  const description = (form.get('description') ?? '').trim();
  // Browsers send the lines of a text area with CR LF.
  const readme = (form.get('readme') ?? '').replaceAll('\r\n', '\n').trimEnd();
  const problem = tooLong(description, readme);
  if (problem) return editPage(view, { name, description, readme, problem });
  await site.content.index.describe(name, description);
  await site.content.index.setReadme(name, readme);
  return { location: `/r/${name}` };
}

function tooLong(description: string, readme: string): string | null {
  if (description.length > longestDescription)
    return `The short description may have at most ${longestDescription} characters.`;
  return readme.length > longestReadme ? `The long description may have at most ${longestReadme} characters.` : null;
}

function editPage(
  view: View,
  shown: { name: string; description: string; readme: string; problem: string | null },
): PageAnswer {
  const { name, description, readme, problem } = shown;
  const fields = html`${field({
    ...{
      name: 'description',
      label: 'Short description',
      value: description,
      isOptional: true,
      most: longestDescription,
    },
    hint: 'One line, shown in searches.',
  })}
<div class="field"><label for="readme">Long description</label>
<textarea id="readme" name="readme" maxlength="${longestReadme}" aria-describedby="readme-hint">
${readme}</textarea>
<p class="hint" id="readme-hint">Plain text, or Markdown: headings, lists, code, emphasis, quotes and links.</p></div>
<div class="row"><button>Save</button> <a href="/r/${name}">Cancel</a></div>`;
  const body = html`<p><a href="/r/${name}">${name}</a></p><h1>Describe ${name}</h1>
${notice(problem)}${postForm(view, `/r/${name}/-/edit`, fields, { class: 'box' })}`;
  return { title: `Describe ${name}`, body, ...(problem && { status: 400 }) };
}

export async function star(view: View): Promise<PageAnswer> {
  const { site, form, visitor } = view;
  const { summary, mayStar } = await shownRepository(view);
  if (!mayStar) throw new PageProblem(403, 'Sign in first.');
  await site.content.index.star(summary.name, starOwner(visitor.identity), form.get('starred') === 'yes');
  return { location: `/r/${summary.name}` };
}

export async function deleteTagForm(view: View): Promise<PageAnswer> {
  const { name, tag } = await tagToDelete(view);
  const others = view.site.showcase.tagsOf(name, tag.digest, 2).length - 1;
  const isAlone = others === 0;
  const fields = html`${
    isAlone &&
    html`<p><label><input type="checkbox" name="manifest" value="yes" checked> Delete the image
<span class="mono">${shortDigest(tag.digest)}</span> too, which has no other tag, and its signatures and attestations. Their disk space becomes free.</label></p>`
  }
${!isAlone && html`<p>The image keeps its other tags.</p>`}
<div class="row"><button class="bad">Delete ${tag.name}</button> <a href="/r/${name}">Cancel</a></div>`;
  const body = html`<h1>Delete ${name}:${tag.name}?</h1>
<p>Nobody can pull it by this name any more. This cannot be undone.</p>
${postForm(view, `/r/${name}/-/tags/${tag.name}/delete`, fields, { class: 'box' })}`;
  return { title: `Delete ${name}:${tag.name}`, body };
}

export async function deleteTag(view: View): Promise<PageAnswer> {
  const { site, form } = view;
  const { name, tag } = await tagToDelete(view);
  const { digest } = tag;
  await site.content.index.deleteTag(name, tag.name);
  if (form.get('manifest') === 'yes') await deleteUnnamed(view, name, digest);
  const isLeft = await site.content.index.summary(name);
  return { location: isLeft ? `/r/${name}` : '/' };
}

/** A manifest that nothing names; with it what only it named, as the images of an index, and what is about it alone, as its signatures. */
async function deleteUnnamed(view: View, repository: string, digest: string): Promise<void> {
  const { showcase, content } = view.site;
  const left = [digest];
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    if (showcase.tagsOf(repository, next, 1).length > 0 || showcase.isPart(repository, next)) continue;
    const stored = showcase.manifest(repository, next, longestManifest);
    const about = { subject: next, artifactType: '', last: '', mostBytes: mostReferrers };
    const { referrers } = await content.index.referrers(repository, about);
    // Each is deleted once, so that this ends also where manifests name each other.
    if (!(await content.index.deleteManifest(repository, next))) continue;
    const parsed = stored && readManifest(stored);
    const parts = parsed?.kind === 'index' ? parsed.index.manifests : [];
    left.push(...[...parts, ...referrers].map((part) => part.digest));
  }
}

async function tagToDelete(view: View): Promise<{ name: string; tag: { name: string; digest: string } }> {
  const { name } = (await deletable(view)).summary;
  const tag = view.site.showcase.tag(name, view.parts[1] ?? '');
  if (!tag) throw notFound();
  return { name, tag };
}

export async function deleteRepositoryForm(view: View): Promise<PageAnswer> {
  return deletePage(view, (await deletable(view)).summary.name, null);
}

export async function deleteRepository(view: View): Promise<PageAnswer> {
  const { name } = (await deletable(view)).summary;
  if (view.form.get('name') !== name) return deletePage(view, name, 'That is not the name of the repository.');
  await view.site.content.index.deleteRepository(name);
  return { location: '/' };
}

function deletePage(view: View, name: string, problem: string | null): PageAnswer {
  const { count } = view.site.showcase.tags(name, '', { offset: 0, limit: 0 });
  const fields = html`${field({ name: 'name', label: 'Write its name to go on', hint: name })}
<div class="row"><button class="bad">Delete the repository</button> <a href="/r/${name}">Cancel</a></div>`;
  const body = html`<h1>Delete ${name}?</h1>
<p>All of it goes: ${countText(count, 'tag')}, its description and its stars. This cannot be undone.</p>
${notice(problem)}${postForm(view, `/r/${name}/-/delete`, fields, { class: 'box' })}`;
  return { title: `Delete ${name}`, body, ...(problem && { status: 400 }) };
}

/** Error: 403 for somebody who only sees it. */
async function managed(view: View): Promise<ShownRepository> {
  const shown = await shownRepository(view);
  if (!shown.mayManage) throw new PageProblem(403, `You may not change ${shown.summary.name}.`);
  return shown;
}

async function deletable(view: View): Promise<ShownRepository> {
  const shown = await managed(view);
  if (!view.site.mayDelete) throw new PageProblem(403, 'Nothing is deleted in this registry.');
  return shown;
}
