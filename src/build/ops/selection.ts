/** Which files a COPY takes, and where each goes. */
import { posix } from 'node:path';
import { BerthError } from '../../api/errors.ts';
import { globExpression, IgnoreRules, isPattern } from '../../wire/ignore-patterns.ts';
import { type CopyAction, wholeCopy } from '../graph/operations.ts';
import type { FileEntry, FileSource } from '../session/file-source.ts';
import { fromPath, toPath } from '../session/file-source.ts';
import { followLinks } from '../session/layered-files.ts';

/** Files whose bytes are looked at together. */
const describedAtOnce = 16;

/** One entry on its way. */
export interface Selected {
  /** In the source. */
  path: string;
  entry: FileEntry;
  /** In the destination: below it, without a leading slash; empty: the destination itself takes its place. */
  target: string;
  /** Named by a pattern or a source itself, not found below one. */
  isRoot: boolean;
  /** Counts what was named: files that are one stay one among what one name or match has brought. */
  group: number;
}

/** What a copy takes, parents before what is below them; a pattern may match nothing. Error: `not-found` `"/x": not found`. */
export async function select(source: FileSource, action: CopyAction): Promise<Selected[]> {
  // Paths are told from the source on, so that nothing begins with a slash.
  const patterns = action.excludes.filter((pattern) => !/^!?\//.test(pattern));
  const excludes = new IgnoreRules(patterns.map((pattern) => toPath(pattern)));
  const found: Selected[] = [];
  let group = 0;
  for (const pattern of action.sources) {
    const roots = await rootsOf(source, pattern, action.parents);
    if (roots.length === 0 && !isPattern(pattern)) throw notFound(pattern);
    for (const root of roots) await addRoot({ source, action, excludes, found, pattern, group: group++ }, root);
  }
  return found;
}

function notFound(pattern: string): BerthError {
  return new BerthError(
    'not-found',
    `failed to compute cache key: failed to calculate checksum of ref: ${JSON.stringify(pattern.replace(/(.)\/$/, '$1'))}: not found`,
  );
}

interface Root {
  /** Where it is, every link followed. */
  path: string;
  /** What it is called at the destination: its own name, not that of what it leads to. */
  name: string;
}

/** What a source names: one path, or as many as its pattern matches. Error: `not-found` for a link that leads nowhere. */
async function rootsOf(source: FileSource, pattern: string, keepsLinks: boolean): Promise<Root[]> {
  const clean = posix.normalize(pattern).replace(/(.)\/$/, '$1');
  if (!isPattern(clean)) {
    const path = await followLinks(source, toPath(clean), true);
    return path === null ? [] : [{ path, name: posix.basename(toPath(clean)) }];
  }
  const parts = clean.split('/').filter((part) => part !== '');
  let level = ['/'];
  for (const part of parts) {
    const next: string[] = [];
    for (const directory of level) next.push(...(await matches(source, directory, part)));
    level = [...new Set(next)];
  }
  return Promise.all(
    level.map(async (match) => {
      const path = keepsLinks ? match : await followLinks(source, match, true);
      if (path === null) throw notFound(fromPath(match));
      return { path, name: posix.basename(match) };
    }),
  );
}

async function matches(source: FileSource, directory: string, part: string): Promise<string[]> {
  const base = directory === '/' ? '' : directory;
  if (part === '**') return [directory, ...(await directoriesBelow(source, directory))];
  if (!isPattern(part)) {
    const path = await followLinks(source, `${base}/${toPath(part)}`, false);
    return path === null ? [] : [path];
  }
  const expression = globExpression(toPath(part));
  const real = (await followLinks(source, directory, true)) ?? directory;
  const names = (await source.names(real)).filter((name) => expression.test(name));
  return names.map((name) => `${real === '/' ? '' : real}/${name}`);
}

async function directoriesBelow(source: FileSource, directory: string): Promise<string[]> {
  const found: string[] = [];
  for (const name of await source.names(directory)) {
    const path = `${directory === '/' ? '' : directory}/${name}`;
    if ((await source.entry(path))?.type === 'directory') found.push(path, ...(await directoriesBelow(source, path)));
  }
  return found;
}

interface Selecting {
  source: FileSource;
  action: CopyAction;
  excludes: IgnoreRules;
  found: Selected[];
  pattern: string;
  group: number;
}

async function addRoot(selecting: Selecting, { path, name }: Root): Promise<void> {
  const { source, action, found, pattern, group } = selecting;
  const entry = await source.entry(path);
  if (entry === null) return;
  if (action.parents) {
    await addParents(selecting, path, pattern);
    if (entry.type !== 'directory') return;
    return addBelow(selecting, path, { target: belowPivot(path, pattern), top: path });
  }
  if (entry.type === 'directory') {
    found.push({ path, entry, target: '', isRoot: true, group });
    return addBelow(selecting, path, { target: '', top: path });
  }
  // What is named is taken, whatever --exclude says.
  found.push({ path, entry, target: name, isRoot: true, group });
}

/** With `--parents` what stands before `/./` in a source is not made at the destination. */
function belowPivot(path: string, pattern: string): string {
  const pivot = pattern.indexOf('/./');
  const cut = pivot < 0 ? 0 : toPath(posix.normalize(pattern.slice(0, pivot) || '/')).replace(/\/$/, '').length;
  return path.slice(cut).replace(/^\//, '');
}

async function addParents({ source, excludes, found, group }: Selecting, path: string, pattern: string): Promise<void> {
  const target = belowPivot(path, pattern);
  const parts = target.split('/').filter((part) => part !== '');
  const cut = path.length - target.length;
  for (let count = 1; count <= parts.length; count++) {
    const below = parts.slice(0, count).join('/');
    const whole = path.slice(0, cut) + below;
    const entry = await source.entry(whole);
    if (entry === null || excludes.ignores(below) || found.some((one) => one.target === below)) continue;
    found.push({ path: whole, entry, target: below, isRoot: false, group });
  }
}

async function addBelow(
  selecting: Selecting,
  directory: string,
  { target, top }: { target: string; top: string },
): Promise<void> {
  const { source, excludes, found, group } = selecting;
  const base = directory === '/' ? '' : directory;
  for (const name of await source.names(directory)) {
    const path = `${base}/${name}`;
    const entry = await source.entry(path);
    if (entry === null) continue;
    const within = path.slice(top === '/' ? 1 : top.length + 1);
    const ignored = excludes.ignores(within);
    if (ignored && (entry.type !== 'directory' || excludes.isFinal)) continue;
    const place = target === '' ? name : `${target}/${name}`;
    if (!ignored) found.push({ path, entry, target: place, isRoot: false, group });
    if (entry.type === 'directory') await addBelow(selecting, path, { target: place, top });
  }
}

/** What makes one set of files differ from another: names, kinds, modes, contents; not times. */
export async function selectionParts(source: FileSource, selected: readonly Selected[]): Promise<Map<string, string>> {
  const parts = new Map<string, string>();
  for (let start = 0; start < selected.length; start += describedAtOnce) {
    const some = selected.slice(start, start + describedAtOnce);
    const texts = await Promise.all(some.map(({ path, entry }) => describe(source, path, entry)));
    for (const [index, { path, target }] of some.entries()) {
      const shown = `file ${fromPath(path).slice(1) || '.'}`;
      parts.set(parts.has(shown) ? `${shown} to ${fromPath(target)}` : shown, texts[index] as string);
    }
  }
  return parts;
}

async function describe(source: FileSource, path: string, entry: FileEntry): Promise<string> {
  const mode = `${entry.mode.toString(8)} ${entry.uid}:${entry.gid}`;
  if (entry.type === 'file') {
    const capability = (await source.capability(path))?.toString('hex') ?? '';
    return `${mode} ${await source.digest(path)}${capability === '' ? '' : ` ${capability}`}`;
  }
  if (entry.type === 'symlink') return `link ${fromPath(entry.link)}`;
  return entry.type === 'directory' ? `${entry.type} ${mode}` : `${entry.type} ${mode} ${entry.device}`;
}

/** All files below a path of a source, for steps that see them mounted. */
export async function fileParts(source: FileSource, path: string): Promise<Map<string, string>> {
  return selectionParts(source, await select(source, wholeCopy(0, path)));
}
