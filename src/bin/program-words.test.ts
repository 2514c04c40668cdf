import { expect, test } from 'bun:test';
import { programWords } from './program-words.ts';

const config = '/etc/docker/registry/config.yml';
const cases: [name: string, path: string, words: string[], expected: string[]][] = [
  ['/usr/bin/berth', '/$bunfs/root/berth', ['registry', 'serve'], ['registry', 'serve']],
  ['/bin/registry', '/$bunfs/root/berth', [], ['registry', 'serve']],
  ['/bin/registry', '/$bunfs/root/berth', [config], ['registry', 'serve', config]],
  ['/bin/registry', '/$bunfs/root/berth', ['serve', config], ['registry', 'serve', config]],
  ['/bin/registry', '/$bunfs/root/berth', ['--public'], ['registry', 'serve', '--public']],
  ['registry', '/$bunfs/root/berth', ['--help'], ['registry', '--help']],
  ['bun', '/bin/registry', ['garbage-collect', config], ['registry', 'garbage-collect', config]],
  ['bun', '/src/bin/berth.ts', ['ps'], ['ps']],
];
for (const [name, path, words, expected] of cases)
  test(`${name} ${path} ${words.join(' ')}`, () =>
    expect(programWords([name, path, ...words], name)).toEqual(expected));
