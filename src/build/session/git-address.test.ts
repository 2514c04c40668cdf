import { expect, test } from 'bun:test';
import { parseGitAddress } from './git-address.ts';

test.each([
  ['https://h/r.git', 'https://h/r.git', '', ''],
  ['https://h/r.git#v1', 'https://h/r.git', 'v1', ''],
  ['https://h/r.git#v1:a/b', 'https://h/r.git', 'v1', 'a/b'],
  ['https://h/r.git#:a/../../b', 'https://h/r.git', '', 'b'],
  ['git@h:r.git#main', 'git@h:r.git', 'main', ''],
  ['github.com/o/r', 'https://github.com/o/r', '', ''],
])('%s', (text, remote, reference, subdirectory) => {
  expect(parseGitAddress(text)).toEqual({ remote, reference, subdirectory });
});

test.each(['ext::sh -c id', '--upload-pack=x', '/etc', 'file:///etc'])('%s is none', (text) => {
  expect(() => parseGitAddress(text)).toThrow('is no address of a repository');
});
