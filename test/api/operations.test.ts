/** What `src/api/operations.ts` says of query parameters is what the handlers read. */
import { expect, test } from 'bun:test';
import { Glob } from 'bun';
import { operations } from '../../src/api/operations.ts';
import { repository } from '../support/repository.ts';

/** Read by functions of `src/server/request.ts` that name them themselves, and by name out of a list. */
const readByName = ['filters', 'platform', 'h', 'w', 'before'];

test('every parameter is told, and none that nobody reads', async () => {
  const read = new Set(readByName);
  for (const file of new Glob('src/server/routers/**/*.ts').scanSync(repository)) {
    const code = await Bun.file(`${repository}/${file}`).text();
    const calls = code.matchAll(
      /(?:\.(?:text|flag|integer|getAll|has)\(|(?:moment|wants|object|strings)\((?:request, )?)'([\w-]+)'/g,
    );
    for (const [, name] of calls) read.add(name as string);
  }
  const told = new Set(Object.values(operations).flatMap((operation) => Object.keys(operation?.query ?? {})));
  expect([...read].filter((name) => !told.has(name)).sort()).toEqual([]);
  expect([...told].filter((name) => !read.has(name)).sort()).toEqual([]);
});
