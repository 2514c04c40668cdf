import { expect, test } from 'bun:test';
import { parseScope, Tokens } from './tokens.ts';

const tokens = new Tokens(Buffer.alloc(32, 1));
const claims = {
  sub: 'alice',
  access: [{ type: 'repository', name: 'a/b', actions: ['pull'] }],
  use: 'access' as const,
};

test('what was issued is read back, and nothing else', () => {
  const token = tokens.issue(claims, 60);
  expect(tokens.read(token)).toMatchObject(claims);
  expect(new Tokens(Buffer.alloc(32, 2)).read(token)).toBeNull();
  const [head, body, signature] = token.split('.') as [string, string, string];
  const other = Buffer.from(JSON.stringify({ ...claims, sub: 'root', exp: 9e9 })).toString('base64url');
  const unsigned = Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url');
  for (const forged of [
    `${head}.${other}.${signature}`,
    `${unsigned}.${body}.`,
    `${head}.${body}`,
    `${head}.${body}.${signature}.x`,
    '',
    'x',
  ])
    expect(tokens.read(forged)).toBeNull();
});

test('it ends', () => {
  expect(tokens.read(tokens.issue(claims, -1))).toBeNull();
});

test.each([
  ['repository:app/web:pull,push', { type: 'repository', name: 'app/web', actions: ['pull', 'push'] }],
  ['repository:host:5000/web:pull', { type: 'repository', name: 'host:5000/web', actions: ['pull'] }],
  ['repository(plugin):a:pull', { type: 'repository', name: 'a', actions: ['pull'] }],
  ['registry:catalog:*', { type: 'registry', name: 'catalog', actions: ['*'] }],
  ['repository:app', null],
  ['', null],
])('scope %s', (text, scope) => {
  expect(parseScope(text)).toEqual(scope);
});
