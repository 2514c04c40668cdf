/** The client is a library for Bun and Node, whole: only one file may know Bun, and no endpoint is missing. */
import { expect, test } from 'bun:test';
import { Glob } from 'bun';
import { type Route, routes } from '../api/routes.ts';

async function sources(): Promise<[path: string, code: string][]> {
  const found: [string, string][] = [];
  for (const path of new Glob('**/*.ts').scanSync(import.meta.dir)) {
    if (path.endsWith('.test.ts')) continue;
    const source = await Bun.file(`${import.meta.dir}/${path}`).text();
    found.push([path, source.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')]);
  }
  return found;
}

test('only the transport for Bun uses Bun', async () => {
  const users = (await sources()).filter(([, code]) => /\bBun\b|from 'bun/.test(code)).map(([path]) => path);
  expect(users).toEqual(['transport/bun.ts']);
});

test('every endpoint file is part of the library', async () => {
  const index = await Bun.file(`${import.meta.dir}/index.ts`).text();
  const endpoints = (await sources()).map(([path]) => path).filter((path) => /^(?!http|transport)\w+\//.test(path));
  expect(endpoints.filter((path) => !index.includes(`'./${path}'`))).toEqual([]);
});

/** Routes without a function of their own, and why. */
const without: Partial<Record<string, string>> = {
  ping: 'pingHead tells the same',
  networkListSlash: 'networkList',
  containerAttachWebsocket: 'for pages in a browser; attach does it here',
  imageSave: 'saveImages with one name',
  build: 'the older way; runBuild sends only what has changed',
  buildCancel: 'not built yet',
  session: 'for BuildKit’s own client',
  grpc: 'for BuildKit’s own client',
  pluginList: 'always empty',
  pluginInspect: 'there is none',
};

test('every route has its function', async () => {
  // Paths as the requests write them: `/containers/${pathName(id)}/json` is `/containers/{}/json`.
  const asked = new Set<string>();
  for (const [, code] of await sources()) {
    const paths = code.match(/['`]\/[a-z_][^'`\s]*['`]/g) ?? [];
    for (const path of paths) asked.add(path.slice(1, -1).replace(/\$\{[^}]*\}/g, '{}'));
  }
  const missing = (routes as readonly Route[])
    .filter((route) => !route.refused && without[route.name] === undefined)
    .filter((route) => !asked.has(route.path.replace(/\{[^}]*\}/g, '{}')))
    .map((route) => `${route.method} ${route.path}`);
  expect(missing).toEqual([]);
});
