/** One tag or manifest: digest, platforms, layers, what a container made of it begins with, and what refers to it. */
import { isDigest } from '../../oci/digest.ts';
import type { HistoryEntry, ImageConfigDocument } from '../../oci/image-config.ts';
import { type Descriptor, type ImageIndex, type ImageManifest, longestManifest } from '../../oci/manifest.ts';
import type { Referrer, ShownTag } from '../storage/types.ts';
import { countText, shortDigest, sizeText, timeElement } from './format.ts';
import { type Html, html, type Part } from './html.ts';
import { artifactTypeOf, isAttestation, overview, readConfig, readManifest, sizeOf } from './image-facts.ts';
import {
  artifactName,
  imageTable,
  pullCommands,
  pushedText,
  type ShownRepository,
  shownRepository,
} from './repository.ts';
import { notFound, type PageAnswer, type View } from './view.ts';

/** Of lists that whoever pushed the image made as long as they liked. */
const mostEntries = 300;
const longestEntry = 2000;

export async function tagPage(view: View): Promise<PageAnswer> {
  const shown = await shownRepository(view);
  const tag = view.site.showcase.tag(shown.summary.name, view.parts[1] ?? '');
  if (!tag) throw notFound();
  return manifestAnswer(view, shown, { reference: `:${tag.name}`, digest: tag.digest, tag });
}

export async function manifestPage(view: View): Promise<PageAnswer> {
  const shown = await shownRepository(view);
  const digest = view.parts[1] ?? '';
  if (!isDigest(digest)) throw notFound();
  return manifestAnswer(view, shown, { reference: `@${digest}`, digest, tag: null });
}

interface Shown {
  /** Behind the repository's name. */
  reference: string;
  digest: string;
  tag: ShownTag | null;
}

async function manifestAnswer(view: View, repository: ShownRepository, shown: Shown): Promise<PageAnswer> {
  const { site, host } = view;
  const { name } = repository.summary;
  const { digest, tag } = shown;
  const stored = site.showcase.manifest(name, digest, longestManifest);
  if (!stored) throw notFound();
  const parsed = readManifest(stored);
  const title = tag ? `${name}:${tag.name}` : `${name}@${shortDigest(digest)}`;
  const artifactType = parsed ? artifactTypeOf(parsed) : stored.mediaType;
  const config =
    parsed?.kind === 'manifest' && artifactType === '' ? await readConfig(site, name, parsed.manifest.config) : null;
  const size = parsed && sizeOf(parsed);
  const body = html`<p><a href="/r/${name}">${name}</a></p>
<div class="row spread"><h1>${tag ? tag.name : html`<span class="mono">${shortDigest(digest)}</span>`}</h1>
${tag && repository.mayManage && site.mayDelete && html`<a class="action bad" href="/r/${name}/-/tags/${tag.name}/delete">Delete</a>`}</div>
${pullCommands(`${host}/${name}${shown.reference}`, artifactType)}
<div class="box"><dl class="pairs">
${pair('Digest', html`<code>${digest}</code>`)}
${tag && tag.pushed > 0 && pair('Tag', pushedText(tag))}
${pair('Media type', html`<code>${stored.mediaType}</code>`)}
${artifactType !== '' && pair('Artifact', html`${artifactName(artifactType)} <code>${artifactType}</code>`)}
${size !== null && pair('Size', sizeText(size))}
${config && platformPairs(config)}
${otherTags(view, name, shown)}
</dl></div>
${parsed?.kind === 'index' && (await indexSections(view, name, { digest, index: parsed.index }))}
${config && configSection(config)}
${parsed?.kind === 'manifest' && layerSection(parsed.manifest, config)}
${await referrerSection(view, name, digest)}`;
  return { title, body };
}

function pair(name: string, value: Part): Html {
  return html`<dt>${name}</dt><dd>${value}</dd>`;
}

function platformPairs(config: ImageConfigDocument): Part {
  const created = textOf(config.created);
  const author = textOf(config.author);
  const { os, architecture, variant } = config;
  return [
    pair('Platform', [os, architecture, textOf(variant)].filter(Boolean).join('/') || '—'),
    created !== '' && Date.parse(created) > 0 && pair('Built', timeElement(Date.parse(created))),
    author !== '' && pair('Author', html`<bdi>${author}</bdi>`),
  ];
}

function otherTags({ site }: View, repository: string, { digest, tag }: Shown): Part {
  const most = 50;
  const names = site.showcase.tagsOf(repository, digest, most).filter((name) => name !== tag?.name);
  if (names.length === 0) return null;
  const links = names.map((name) => html`<a href="/r/${repository}/-/tags/${name}">${name}</a> `);
  return pair(tag ? 'Also tagged' : 'Tagged', links);
}

async function indexSections(
  { site }: View,
  repository: string,
  { digest, index }: { digest: string; index: ImageIndex },
): Promise<Html> {
  const attestations = index.manifests.filter(isAttestation);
  const shown = await overview(site, { repository, digest, most: mostEntries });
  return html`<section><h2>Platforms</h2><div class="box wide">${imageTable(repository, digest, shown)}</div></section>
${attestations.length > 0 && html`<section><h2>Attestations</h2><ul class="box plain">${attestations.slice(0, mostEntries).map((entry) => attestation(repository, entry))}</ul></section>`}`;
}

function attestation(repository: string, entry: Descriptor): Html {
  const of = entry.annotations?.['vnd.docker.reference.digest'] ?? '';
  return html`<li><a class="mono" href="/r/${repository}/-/manifests/${entry.digest}">${shortDigest(entry.digest)}</a>
${isDigest(of) && html`of <span class="mono">${shortDigest(of)}</span>`}</li>`;
}

function configSection({ config = {} }: ImageConfigDocument): Html {
  const words = (list: string[] | null | undefined): Part =>
    list && list.length > 0 ? html`<code>${clip(JSON.stringify(list))}</code>` : null;
  const names = (map: object | null | undefined): Part => codes(Object.keys(map ?? {}));
  const labels = Object.entries(config.Labels ?? {}).map(([key, value]) => `${key}=${value}`);
  const pairs: [string, Part][] = [
    ['Entrypoint', words(config.Entrypoint)],
    ['Command', words(config.Cmd)],
    ['Working directory', config.WorkingDir ? html`<code>${clip(config.WorkingDir)}</code>` : null],
    ['User', config.User ? html`<code>${clip(config.User)}</code>` : null],
    ['Ports', names(config.ExposedPorts)],
    ['Volumes', names(config.Volumes)],
    ['Environment', codes(config.Env ?? [])],
    ['Stop signal', config.StopSignal ? html`<code>${clip(config.StopSignal)}</code>` : null],
    [
      'Health check',
      words((config.Healthcheck as { Test?: unknown } | null | undefined)?.Test as string[] | undefined),
    ],
    ['Labels', codes(labels)],
  ];
  const shown = pairs.filter(([, value]) => value !== null);
  if (shown.length === 0) return html``;
  return html`<section><h2>Configuration</h2><div class="box"><dl class="pairs">${shown.map(([name, value]) => pair(name, value))}</dl></div></section>`;
}

function codes(list: readonly string[]): Part {
  if (list.length === 0) return null;
  const shown = list.slice(0, mostEntries).map((text) => html`<li><code>${clip(text)}</code></li>`);
  return html`<ul class="plain">${shown}</ul>${list.length > mostEntries && html`<p class="soft">and ${list.length - mostEntries} more</p>`}`;
}

/** The steps that made the image, with the layer that each of them left; or the layers alone where nobody says how they came to be. */
function layerSection({ layers }: ImageManifest, config: ImageConfigDocument | null): Html {
  const history = (config?.history ?? []).filter((entry) => typeof entry === 'object' && entry !== null);
  const isWhole = history.filter((entry) => !entry.empty_layer).length === layers.length;
  const steps = isWhole && history.length > 0 ? history : layers.map((): HistoryEntry => ({}));
  let next = 0;
  const items = steps.slice(0, mostEntries).map((entry) => {
    const layer = entry.empty_layer ? null : (layers[next++] as Descriptor);
    const text = clip(stepText(entry)) || (layer ? layer.mediaType : '');
    return html`<li${layer === null && html` class="empty"`}><code>${text}</code><span class="number soft">${layer ? html`<span title="${layer.digest}">${sizeText(layer.size)}</span>` : '0 B'}</span></li>`;
  });
  if (items.length === 0) return html``;
  const sum = layers.reduce((total, { size }) => total + size, 0);
  return html`<section><h2>Layers</h2><div class="box"><p class="soft">${countText(layers.length, 'layer')}, ${sizeText(sum)}</p>
<ol class="plain history">${items}</ol>${steps.length > mostEntries && html`<p class="soft">and ${steps.length - mostEntries} more</p>`}</div></section>`;
}

/** As the Dockerfile had it, as far as that can be told. */
function stepText(entry: HistoryEntry): string {
  const text = textOf(entry.created_by) || textOf(entry.comment);
  return text
    .replace(/^\/bin\/sh -c #\(nop\)\s*/, '')
    .replace(/ # buildkit$/, '')
    .replace(/^\/bin\/sh -c /, 'RUN ');
}

async function referrerSection({ site }: View, repository: string, digest: string): Promise<Part> {
  const { index } = site.content;
  const page = { subject: digest, artifactType: '', last: '', mostBytes: 1024 * 1024 };
  const { referrers } = await index.referrers(repository, page);
  const byTag = cosignTags(digest).flatMap((name) => site.showcase.tag(repository, name) ?? []);
  if (referrers.length + byTag.length === 0) return null;
  return html`<section><h2>Referrers</h2><div class="box wide"><table>
<thead><tr><th scope="col">What</th><th scope="col">Type</th><th scope="col">Digest</th><th class="number" scope="col">Size</th></tr></thead>
<tbody>${referrers.slice(0, mostEntries).map((referrer) => referrerRow(repository, referrer))}
${byTag.map(
  (tag) => html`<tr><td>${cosignNames[tag.name.split('.')[1] ?? ''] ?? 'Artifact'}</td><td>by its tag</td>
<td><a class="mono" href="/r/${repository}/-/tags/${tag.name}">${shortDigest(tag.digest)}</a></td><td class="number">—</td></tr>`,
)}</tbody></table></div></section>`;
}

function referrerRow(repository: string, { digest, artifactType, mediaType, size }: Referrer): Html {
  const type = artifactType || mediaType;
  return html`<tr><td>${artifactName(type)}</td><td><code>${clip(type)}</code></td>
<td><a class="mono" href="/r/${repository}/-/manifests/${digest}">${shortDigest(digest)}</a></td><td class="number">${sizeText(size)}</td></tr>`;
}

const cosignNames: Record<string, string> = { sig: 'Signature', att: 'Attestation', sbom: 'SBOM' };

/** Where cosign keeps things at registries without referrers. */
function cosignTags(digest: string): string[] {
  return Object.keys(cosignNames).map((suffix) => `${digest.replace(':', '-')}.${suffix}`);
}

function clip(text: string): string {
  return text.length > longestEntry ? `${text.slice(0, longestEntry)}…` : text;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
