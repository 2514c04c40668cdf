/** Writes docs/reference/openapi.json. `--check` fails when the page is not what it would write. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { openApiDocument } from './openapi-document.ts';

const file = resolve(import.meta.dir, '../docs/reference/openapi.json');
const page = `${JSON.stringify(openApiDocument(), null, 2)}\n`;

if (process.argv.includes('--check')) {
  if (!existsSync(file) || readFileSync(file, 'utf8') !== page) {
    console.error('docs/reference/openapi.json is stale: run scripts/gen-openapi.ts');
    process.exit(1);
  }
} else writeFileSync(file, page);
