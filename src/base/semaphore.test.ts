import { expect, test } from 'bun:test';
import { Semaphore } from './semaphore.ts';

test('no more than the limit, first come first served, an aborted waiter leaves the queue', async () => {
  const semaphore = new Semaphore(1);
  const order: string[] = [];
  const first = await semaphore.acquire();
  expect(semaphore.hasRoom).toBe(false);
  const abort = new AbortController();
  const second = semaphore.acquire(abort.signal);
  const third = semaphore.acquire().then((release) => {
    order.push('third');
    return release;
  });
  abort.abort(new Error('left'));
  await expect(second).rejects.toThrow('left');
  expect(order).toEqual([]);
  first();
  first();
  (await third)();
  expect(order).toEqual(['third']);
  expect(semaphore.hasRoom).toBe(true);
  await expect(semaphore.acquire(abort.signal)).rejects.toThrow('left');
});

test('the limit may change while some are inside and some wait', async () => {
  const semaphore = new Semaphore(2);
  const leave = [await semaphore.acquire(), await semaphore.acquire()];
  let entered = 0;
  const waiting = [1, 2, 3].map(() =>
    semaphore.acquire().then((release) => {
      entered++;
      return release;
    }),
  );
  semaphore.limit = 3;
  await waiting[0];
  expect(entered).toBe(1);
  semaphore.limit = 1;
  // Three are inside, one may be: only the third to leave lets somebody in.
  leave[0]?.();
  leave[1]?.();
  await Promise.resolve();
  expect(entered).toBe(1);
  (await waiting[0])?.();
  (await waiting[1])?.();
  await waiting[2];
  expect(entered).toBe(3);
  expect(semaphore.hasRoom).toBe(false);
});
