import { expect, test } from 'bun:test';
import { Growth } from './growth.ts';

test('tells now and then, and always the end', () => {
  const growth = new Growth(10);
  growth.reach(3);
  const told: [number, boolean][] = [];
  growth.follow((length, isComplete) => told.push([length, isComplete]));
  for (const length of [5, 13, 14, 25, 0, 9, 12, 15]) growth.reach(length);
  growth.complete();
  expect(told).toEqual([
    [3, false],
    [13, false],
    [25, false],
    [0, false],
    [12, false],
    [15, true],
  ]);
});

test('whoever comes late hears where it is', () => {
  const growth = new Growth(10);
  growth.reach(7);
  growth.complete();
  const told: unknown[] = [];
  growth.follow((...what) => told.push(what));
  expect(told).toEqual([[7, true]]);
});
