/** Fails where package.json or quickstart name something that docs/dependencies.md gives no reason for. */
import { readFileSync } from 'node:fs';

const page = readFileSync('docs/dependencies.md', 'utf8');

function packagesOf(path: string): string[] {
  const file = JSON.parse(readFileSync(path, 'utf8')) as Record<string, Record<string, string> | undefined>;
  return ['dependencies', 'devDependencies', 'optionalDependencies'].flatMap((key) => Object.keys(file[key] ?? {}));
}

/** Debian's: `program:package` in the lists of what is wanted, `echo package` for what is looked for by a file. */
function packagesOfQuickstart(): string[] {
  const [lists = ''] = /^missing_packages\(\) \{[\s\S]*?^\}/m.exec(readFileSync('quickstart', 'utf8')) ?? [];
  return [
    ...[...lists.matchAll(/[\w.-]+:([a-z][a-z0-9.+-]+)/g)].map(([, name]) => name as string),
    ...[...lists.matchAll(/\|\| echo ([a-z][\w.+-]+)/g)].map(([, name]) => name as string),
  ];
}

const named = [
  ...packagesOf('package.json'),
  ...packagesOf('test/compat/clients/package.json'),
  ...packagesOfQuickstart(),
];
const missing = [...new Set(named)].filter(
  (name) => !new RegExp(`(^|[^\\w-])${RegExp.escape(name)}($|[^\\w-])`).test(page),
);
if (missing.length > 0) {
  console.error(`docs/dependencies.md has no line for ${missing.join(', ')}`);
  process.exit(1);
}
