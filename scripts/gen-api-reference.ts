/** Writes docs/reference/api.md out of the route table. `--check` fails when the page is not what it would write. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Route, routes } from '../src/api/routes.ts';
import { newestVersion, oldestVersion, versionText } from '../src/api/versions.ts';

const file = resolve(import.meta.dir, '../docs/reference/api.md');

function path(route: Route): string {
  return route.path.replace(/\{(\w+)\.\.\.\}/g, '{$1}');
}

function rows(list: readonly Route[]): string {
  return list
    .map((route) => {
      const note = route.refused ? `refused: ${route.refused.message}` : '';
      return `| \`${route.method} ${path(route)}\` | ${route.summary} | ${route.since ? versionText(route.since) : ''} | ${note} |\n`;
    })
    .join('');
}

const head = '| route | | since | |\n|--|--|--|--|\n';
const docker = (routes as readonly Route[]).filter((route) => !route.path.startsWith('/berth/'));
const own = (routes as readonly Route[]).filter((route) => route.path.startsWith('/berth/'));

const page = `<!-- Written by scripts/gen-api-reference.ts from src/api/routes.ts. Change that, not this page. -->

# The API

Docker's Engine API, versions ${versionText(oldestVersion)} to ${versionText(newestVersion)}; each path also with its version in front (\`/v1.41/containers/json\`),
without one it means the newest. Parameters, bodies and answers are Docker's
(https://docs.docker.com/reference/api/engine/); errors are \`{"message": "…"}\`. What an engine does not offer answers 501.

${head}${rows(docker)}
## Only here

${head}${rows(own)}`;

if (process.argv.includes('--check')) {
  if (!existsSync(file) || readFileSync(file, 'utf8') !== page) {
    console.error('docs/reference/api.md is stale: run scripts/gen-api-reference.ts');
    process.exit(1);
  }
} else writeFileSync(file, page);
