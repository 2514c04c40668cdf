import { expect, test } from 'bun:test';
import { SharedWork } from './shared-work.ts';

function shared() {
  const work = new SharedWork<string, number>();
  const runs: { signal: AbortSignal; emit: (event: number) => void; finish: (value: string) => void }[] = [];
  const start = async (context: { signal: AbortSignal; emit: (event: number) => void }): Promise<string> => {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    context.signal.addEventListener('abort', () => reject(new Error('aborted')));
    runs.push({ ...context, finish: resolve });
    return promise;
  };
  return { work, runs, start };
}

const never = new AbortController().signal;

test('two callers, one piece of work; the late one hears the last event', async () => {
  const { work, runs, start } = shared();
  const heard: number[][] = [[], []];
  const first = work.join('a', { signal: never, listener: (event) => heard[0]?.push(event), start });
  await Promise.resolve();
  runs[0]?.emit(1);
  runs[0]?.emit(2);
  const second = work.join('a', { signal: never, listener: (event) => heard[1]?.push(event), start });
  runs[0]?.emit(3);
  runs[0]?.finish('done');
  expect(await Promise.all([first, second])).toEqual(['done', 'done']);
  expect(heard).toEqual([
    [1, 2, 3],
    [2, 3],
  ]);
  expect(runs.length).toBe(1);
  expect(work.size).toBe(0);
});

test('one may leave, the work goes on; when all left it is aborted and the next starts anew', async () => {
  const { work, runs, start } = shared();
  const leave = [new AbortController(), new AbortController()] as const;
  const joined = leave.map((one) => work.join('a', { signal: one.signal, listener: () => undefined, start }));
  leave[0].abort(new Error('left'));
  await expect(joined[0]).rejects.toThrow('left');
  expect(runs[0]?.signal.aborted).toBe(false);
  leave[1].abort(new Error('left too'));
  await expect(joined[1]).rejects.toThrow('left too');
  expect(runs[0]?.signal.aborted).toBe(true);
  const again = work.join('a', { signal: never, listener: () => undefined, start });
  while (runs.length < 2) await Promise.resolve();
  runs[1]?.finish('second');
  expect(await again).toBe('second');
});

test('a failure reaches all who joined', async () => {
  const work = new SharedWork<string, number>();
  const start = async (): Promise<string> => {
    throw new Error('broken');
  };
  const joined = [1, 2].map(() => work.join('a', { signal: never, listener: () => undefined, start }));
  const results = await Promise.allSettled(joined);
  expect(results.map((result) => result.status)).toEqual(['rejected', 'rejected']);
});
