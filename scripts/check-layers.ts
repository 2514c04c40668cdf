/**
 * Fails when a file imports from a room that its own room may not see. The map below is the one of ARCHITECTURE.md; there is no
 * level of warning. Type-only imports count as well: who sees a type depends on it. Fails, too, where that page says something else,
 * and where files import each other in a circle.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { Glob } from 'bun';

const pure = ['api', 'oci', 'wire', 'base'];
const daemonSide = [...pure, 'host', 'supervisor', 'archive', 'store', 'distribution'];

/** Room → the rooms it may import from (itself is always allowed). */
const allowed: Record<string, string[]> = {
  api: ['oci', 'wire', 'base'],
  oci: ['api', 'base'],
  wire: ['api', 'oci', 'base'],
  base: [],
  host: ['api', 'base'],
  supervisor: ['api', 'base', 'host', 'wire'],
  archive: ['base', 'oci', 'host', 'api'],
  store: ['api', 'base', 'oci', 'host', 'archive'],
  distribution: ['api', 'base', 'oci', 'wire'],
  engine: daemonSide,
  build: ['api', 'base', 'oci', 'wire', 'archive', 'store', 'distribution'],
  'registry-server': ['api', 'base', 'oci', 'store', 'distribution'],
  server: ['api', 'base', 'wire'],
  client: ['api', 'wire', 'base'],
  cli: ['api', 'base', 'oci', 'wire', 'client'],
};

/** Composition roots see both sides. */
const roots = new Set(['programs', 'bin']);

const source = resolve(import.meta.dir, '../src');
const importPattern = /(?:from\s+|import\s*\(\s*|import\s+)'(\.{1,2}\/[^']+)'/g;

const problems: string[] = [];
/** File → the files that it imports before it runs. */
const imports = new Map<string, string[]>();
for (const path of new Glob('**/*.ts').scanSync(source)) {
  const room = path.split('/')[0] as string;
  if (roots.has(room)) continue;
  const may = allowed[room];
  if (!may) {
    problems.push(`src/${path}: the house has no room '${room}'`);
    continue;
  }
  const isTest = path.endsWith('.test.ts');
  const text = readFileSync(`${source}/${path}`, 'utf8');
  imports.set(
    path,
    [...text.matchAll(/from\s+'(\.{1,2}\/[^']+)'/g)].map(([, to]) =>
      relative(source, resolve(source, dirname(path), to as string)),
    ),
  );
  for (const [, specifier] of text.matchAll(importPattern)) {
    const target = relative(source, resolve(source, dirname(path), specifier as string));
    const targetRoom = target.startsWith('..') ? null : (target.split('/')[0] as string);
    // Outside src/: a test may use test/support, the embedded programs come from build/, the version from package.json.
    if (targetRoom === null) {
      if (!isTest && !target.startsWith('../build/') && target !== '../package.json')
        problems.push(`src/${path} imports ${specifier}`);
      continue;
    }
    if (targetRoom !== room && !may.includes(targetRoom))
      problems.push(`src/${path}: ${room} may not import ${targetRoom} (${specifier})`);
  }
}

const done = new Set<string>();
function lookForCircles(path: string, above: readonly string[]): void {
  const begin = above.indexOf(path);
  if (begin >= 0) problems.push(`files import each other: ${[...above.slice(begin), path].join(' → ')}`);
  if (done.has(path)) return;
  done.add(path);
  for (const next of imports.get(path) ?? []) lookForCircles(next, [...above, path]);
}
for (const path of imports.keys()) lookForCircles(path, []);

// ARCHITECTURE.md: each room has a line in the tree and a row `| room | other rooms |`.
const page = readFileSync(`${source}/../ARCHITECTURE.md`, 'utf8');
const rows = new Map(
  [...page.matchAll(/^\| ([\w-]+) \| ([\w -]*)\|$/gm)].map(([, room, to]) => [room, to?.trim() ?? '']),
);
for (const room of readdirSync(source)) {
  if (!page.includes(`\n  ${room}/ `)) problems.push(`ARCHITECTURE.md has no line for the room ${room}`);
  if (roots.has(room)) continue;
  const inPage = (rows.get(room) ?? '').split(' ').sort().join(' ').trim();
  const here = [...(allowed[room] ?? [])].sort().join(' ');
  if (inPage !== here) problems.push(`ARCHITECTURE.md lets ${room} import '${inPage}', this script '${here}'`);
}
if (problems.length > 0) {
  console.error(problems.sort().join('\n'));
  process.exit(1);
}
