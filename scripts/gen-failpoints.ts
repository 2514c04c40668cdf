/**
 * Writes docs/reference/failpoints.md: every named step at which a test can kill the engine (`src/base/failpoint.ts`), and the test
 * that does. Fails where an operation has no test. `--check` fails when the page is not what it would write.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Glob } from 'bun';

const root = resolve(import.meta.dir, '..');
const file = resolve(root, 'docs/reference/failpoints.md');

interface Step {
  name: string;
  place: string;
}

function textOf(path: string): string {
  return readFileSync(resolve(root, path), 'utf8');
}

function steps(): Step[] {
  const paths = [...new Glob('src/**/*.ts').scanSync(root)].filter((path) => !path.endsWith('.test.ts')).sort();
  const found = paths.flatMap((place) =>
    [...textOf(place).matchAll(/\bfailpoint\(\s*'([^']+)'/g)].map((match) => ({ name: match[1] as string, place })),
  );
  return found.sort((one, other) => (one.name < other.name ? -1 : one.name > other.name ? 1 : 0));
}

const testPaths = [...new Glob('test/**/*.test.ts').scanSync(root)].sort();
const testTexts = new Map(testPaths.map((path) => [path, textOf(path)]));

/** The tests that name the step, or go through all steps of its operation: a new step of such a one is tested at once. */
function testsOf({ name }: Step): string[] {
  const operation = name.slice(0, name.indexOf('.'));
  const isIn = (text: string): boolean => text.includes(`failpointsOf('${operation}')`) || text.includes(`'${name}'`);
  return testPaths.filter((path) => isIn(testTexts.get(path) as string));
}

const all = steps();
const problems = all.flatMap((step, index) => [
  ...(testsOf(step).length === 0 ? [`${step.place}: no test meets the step ${step.name}`] : []),
  ...(all[index + 1]?.name === step.name
    ? [`the step ${step.name} stands at two places: which one would a test meet?`]
    : []),
]);
if (problems.length > 0) {
  console.error(problems.join('\n'));
  process.exit(1);
}

const rows = all.map((step) => `| \`${step.name}\` | ${step.place} | ${testsOf(step).join('<br>')} |\n`);
const page = `<!-- Written by scripts/gen-failpoints.ts from src and test. Change those, not this page. -->

# Where the engine is killed

Each step below is a place where a test ends the engine with \`kill -9\`; the next engine has to find a state that it
understands, and nothing may be left behind. Steps are \`failpoint('<operation>.<where>')\` in the source; a new one needs
a test that names it, or goes through \`failpointsOf('<operation>')\`.

| step | in | test |
|--|--|--|
${rows.join('')}`;

if (process.argv.includes('--check')) {
  if (!existsSync(file) || readFileSync(file, 'utf8') !== page) {
    console.error('docs/reference/failpoints.md is stale: run scripts/gen-failpoints.ts');
    process.exit(1);
  }
} else writeFileSync(file, page);
