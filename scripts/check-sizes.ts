/** Fails on a source file over 700 lines: it has two jobs. Functions are held to 100 lines by the linter. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Glob } from 'bun';

const limit = 700;
const root = resolve(import.meta.dir, '..');
const problems: string[] = [];
for (const pattern of ['{src,test,bench,scripts}/**/*.ts', 'shim/**/*.{c,h}']) {
  for (const path of new Glob(pattern).scanSync(root)) {
    const lines = readFileSync(`${root}/${path}`, 'utf8').split('\n').length;
    if (lines > limit) problems.push(`${path}: ${lines} lines, at most ${limit}`);
  }
}
if (problems.length > 0) {
  console.error(problems.join('\n'));
  process.exit(1);
}
