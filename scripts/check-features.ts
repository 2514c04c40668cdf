/** docs/dev/features.md names a test for each line; every one of them must be there. */
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';

const root = resolve(import.meta.dir, '..');
const page = readFileSync(resolve(root, 'docs/dev/features.md'), 'utf8');
const rows = [...page.matchAll(/^\| .* \| (test\/\S+\.test\.ts): (.*) \|$/gm)];
const missing = rows.filter(([, file = '', name = '']) => !hasTest(file, name.replaceAll('\\|', '|')));
for (const [, file, name] of missing) console.error(`docs/dev/features.md: ${file} has no test "${name}"`);
if (rows.length === 0) console.error('docs/dev/features.md: no line names a test');
if (missing.length > 0 || rows.length === 0) process.exit(1);

function hasTest(file: string, name: string): boolean {
  const path = resolve(root, file);
  return (
    existsSync(path) && ["'", '"', '`'].some((quote) => readFileSync(path, 'utf8').includes(`${quote}${name}${quote}`))
  );
}
