import { expect, test } from 'bun:test';
import { existsSync } from 'node:fs';
import { until } from '../../../test/support/until.ts';
import { childrenOf, killTree } from './kill-tree.ts';

async function grown(pid: number, count: number): Promise<number[]> {
  return await until(`${count} children`, async () => {
    const children = await childrenOf(pid);
    return children.length === count ? children : null;
  });
}

test('children are ended before their parent, who reaps them', async () => {
  const shell = Bun.spawn(['sh', '-c', 'sleep 1000 & sleep 1001; wait; sleep 1002; true'], { stderr: 'ignore' });
  const children = await grown(shell.pid, 2);
  await killTree(shell.pid);
  await shell.exited;
  expect(children.filter((pid) => existsSync(`/proc/${pid}`))).toEqual([]);
});

test('one that goes on making children ends too', async () => {
  const shell = Bun.spawn(['sh', '-c', 'while :; do sleep 1000; done'], { stderr: 'ignore' });
  await grown(shell.pid, 1);
  await killTree(shell.pid);
  await shell.exited;
  expect(shell.signalCode).toBe('SIGKILL');
});

test('one that is gone is no failure', async () => {
  const gone = Bun.spawn(['true']);
  await gone.exited;
  await killTree(gone.pid);
});
