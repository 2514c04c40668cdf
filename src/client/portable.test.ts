/** The client is a library for Bun and Node: only one file of it may know Bun. */
import { expect, test } from 'bun:test';
import { Glob } from 'bun';

test('only the transport for Bun uses Bun', async () => {
  const users: string[] = [];
  for (const path of new Glob('**/*.ts').scanSync(import.meta.dir)) {
    if (path.endsWith('.test.ts')) continue;
    const source = await Bun.file(`${import.meta.dir}/${path}`).text();
    const code = source.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
    if (/\bBun\b|from 'bun/.test(code)) users.push(path);
  }
  expect(users).toEqual(['transport/bun.ts']);
});
