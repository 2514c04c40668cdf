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
