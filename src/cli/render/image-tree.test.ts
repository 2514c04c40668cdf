import { expect, test } from 'bun:test';
import type { ImageSummary } from '../../api/types/image.ts';
import { imageTree } from './image-tree.ts';

const image = (Id: string, RepoTags: string[], more: Partial<ImageSummary>): ImageSummary =>
  ({ Id: `sha256:${Id.repeat(64)}`, RepoTags, Created: 1, Size: 2_065_355, Containers: 0, ...more }) as ImageSummary;

test('names above each other, the newest image first, sizes to the right', () => {
  const images = [image('a', ['one:1', 'one:latest'], {}), image('b', [], { Created: 2, Containers: 1 })];
  const lines = imageTree(images, null).split('\n');
  expect(lines[1]).toBe(`${' '.repeat(62)}Info ->  U In Use `);
  expect(lines.slice(4)).toEqual([
    '<untagged>   bbbbbbbbbbbb       2.07MB             0B    U   ',
    'one:1',
    'one:latest   aaaaaaaaaaaa       2.07MB             0B        ',
    '',
  ]);
});

test('on a terminal the legend stands at its right edge', () => {
  const plain = imageTree([image('a', ['one:1'], {})], 100).replace(/\u001b\[[\d;]*m/g, '');
  expect(plain.split('\n')[1]).toBe('i Info →   U  In Use '.padStart(100));
});
