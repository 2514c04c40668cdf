import { expect, test } from 'bun:test';
import { Attempts } from './attempts.ts';

test('so many in a window, then none until its end', () => {
  const attempts = new Attempts({ most: 2, window: 10_000 });
  expect([attempts.take('a', 0), attempts.take('a', 1000), attempts.take('a', 1500)]).toEqual([0, 0, 9]);
  expect([attempts.take('b', 1500), attempts.take('a', 10_000)]).toEqual([0, 0]);
});

test('a good one does not count, and forgets the bad ones where that is wanted', () => {
  const attempts = new Attempts({ most: 2, window: 10_000 });
  attempts.take('a', 0);
  attempts.take('a', 0);
  attempts.giveBack('a');
  expect([attempts.take('a', 0), attempts.take('a', 0)]).toEqual([0, 10]);
  attempts.forget('a');
  expect(attempts.take('a', 0)).toBe(0);
});

test('asked without being counted', () => {
  const attempts = new Attempts({ most: 1, window: 10_000 });
  expect([attempts.wait('a', 0), attempts.wait('a', 0), attempts.take('a', 0)]).toEqual([0, 0, 0]);
  expect([attempts.wait('a', 4000), attempts.wait('a', 10_000)]).toEqual([6, 0]);
});

test('keys of strangers do not fill the memory', () => {
  const attempts = new Attempts({ most: 1, window: 10_000 });
  for (let number = 0; number < 30_000; number++) attempts.take(String(number), 0);
  expect([attempts.take('29999', 0), attempts.take('0', 0)]).toEqual([10, 0]);
});
