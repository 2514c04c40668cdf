/**
 * Fails when code of the engine's side calls a blocking `…Sync` function outside the files that `scripts/sync-allowed.txt` lists
 * with a reason: one slow disk would hold up every client.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Glob } from 'bun';

const root = resolve(import.meta.dir, '..');
const allowed = new Set(
  readFileSync(`${root}/scripts/sync-allowed.txt`, 'utf8')
    .split('\n')
    .map((line) => line.split(/\s/)[0] as string)
    .filter(Boolean),
);
/** What node:fs, node:child_process and node:zlib offer in a blocking form. */
const blocking =
  /\b(?:access|append|chmod|chown|close|copy|cp|exec|execFile|exists|fchmod|fchown|fdatasync|fstat|fsync|ftruncate|link|lstat|mkdir|mkdtemp|open|opendir|read|readdir|readFile|readlink|realpath|rename|rm|rmdir|spawn|stat|statfs|symlink|truncate|unlink|utimes|write|writeFile|gzip|gunzip|deflate|inflate|zstdCompress|zstdDecompress)\w*Sync\(/g;
const problems: string[] = [];
const used = new Set<string>();
for (const path of new Glob(
  'src/{host,supervisor,archive,store,distribution,engine,build,registry-server,server,wire,base}/**/*.ts',
).scanSync(root)) {
  if (path.endsWith('.test.ts')) continue;
  const calls = readFileSync(`${root}/${path}`, 'utf8').match(blocking);
  if (!calls) continue;
  if (allowed.has(path)) used.add(path);
  else problems.push(`${path} calls ${[...new Set(calls)].join(' ')}`);
}
for (const path of allowed)
  if (!used.has(path)) problems.push(`scripts/sync-allowed.txt lists ${path}, which calls nothing of the kind`);
if (problems.length > 0) {
  console.error(problems.join('\n'));
  process.exit(1);
}
