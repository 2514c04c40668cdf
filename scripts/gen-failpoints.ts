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

/** Operation → the tests that go through all of its steps: a new step of a known operation is tested at once. */
function tests(): Map<string, string[]> {
  const found = new Map<string, Set<string>>();
  for (const path of [...new Glob('test/**/*.test.ts').scanSync(root)].sort()) {
    for (const [, operation] of textOf(path).matchAll(/\bfailpointsOf\('([^']+)'\)/g))
      found.set(operation as string, (found.get(operation as string) ?? new Set()).add(path));
  }
  return new Map([...found].map(([operation, paths]) => [operation, [...paths]]));
}

const tested = tests();
const all = steps();
const operationOf = ({ name }: Step): string => name.slice(0, name.indexOf('.'));
const problems = [
  ...all
    .filter((step) => !tested.has(operationOf(step)))
    .map(({ name, place }) => `${place}: no test goes through failpointsOf('${name.split('.')[0]}')`),
  ...all
    .filter(({ name }, index) => all[index + 1]?.name === name)
    .map(({ name }) => `the step ${name} stands at two places: a test could not tell which one it met`),
  ...[...tested.keys()]
    .filter((operation) => !all.some((step) => operationOf(step) === operation))
    .map((operation) => `${tested.get(operation)?.[0]} goes through the steps of ${operation}, which has none`),
];
if (problems.length > 0) {
  console.error(problems.join('\n'));
  process.exit(1);
}

const rows = all.map(
  (step) => `| \`${step.name}\` | ${step.place} | ${(tested.get(operationOf(step)) ?? []).join('<br>')} |\n`,
);
const page = `<!-- Written by scripts/gen-failpoints.ts from src and test. Change those, not this page. -->

# Where the engine is killed

Each step below is a place where a test ends the engine with \`kill -9\`; the next engine has to find a state that it
understands, and nothing may be left behind. Steps are \`failpoint('<operation>.<where>')\` in the source; a step of a new operation needs
a test that goes through \`failpointsOf('<operation>')\`.

| step | in | test |
|--|--|--|
${rows.join('')}`;

if (process.argv.includes('--check')) {
  if (!existsSync(file) || readFileSync(file, 'utf8') !== page) {
    console.error('docs/reference/failpoints.md is stale: run scripts/gen-failpoints.ts');
    process.exit(1);
  }
} else writeFileSync(file, page);
