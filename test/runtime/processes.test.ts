/** Children: descriptors that they inherit, their life beyond ours, exit codes, output with back-pressure. */
import { expect, test } from 'bun:test';
import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { until } from '../support/until.ts';

test('a detached child with an extra descriptor outlives kill -9 of its parent', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'berth-runtime-'));
  const file = join(directory, 'written-by-fd-3');
  const parent = `
    const { spawn } = require('node:child_process');
    const fd = require('node:fs').openSync(${JSON.stringify(file)}, 'w');
    const child = spawn('sh', ['-c', 'until [ -e ${directory}/go ]; do sleep 0.01; done; echo alive >&3'], { detached: true, stdio: ['ignore', 'ignore', 'ignore', fd] });
    child.unref();
    console.log(child.pid);
    setInterval(() => {}, 1000);`;
  const process_ = Bun.spawn([process.execPath, '-e', parent], { stdout: 'pipe' });
  const { value } = await process_.stdout.getReader().read();
  const pid = Number(new TextDecoder().decode(value));
  process_.kill('SIGKILL');
  await process_.exited;
  expect(readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ')[5]).toBe(String(pid)); // a session of its own
  await Bun.write(join(directory, 'go'), '');
  await until('the child to write', () => readFileSync(file, 'utf8') === 'alive\n');
  await until('the child to end', () => !existsSync(`/proc/${pid}`));
  rmSync(directory, { recursive: true });
});

test('a hundred children: every exit code and signal is right, no zombie, no descriptor left', async () => {
  const once = async (index: number): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<[number | null, string | null]>();
    const child = spawn('sh', ['-c', index % 2 ? `exit ${index}` : 'kill -9 $$'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    child.on('close', (code, signal) => resolve([code, signal]));
    expect(await promise).toEqual(index % 2 ? [index, null] : [null, 'SIGKILL']);
  };
  await once(1);
  const before = readdirSync('/proc/self/fd').length;
  await Promise.all(Array.from({ length: 100 }, (_, index) => once(index)));
  await until('the descriptors to be closed', () => readdirSync('/proc/self/fd').length <= before);
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim().split(' ').filter(Boolean);
  expect(children.filter((pid) => /^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8')))).toEqual([]);
});

test('the output of a child waits for its reader', async () => {
  const child = spawn('sh', ['-c', 'head -c 300000000 /dev/zero'], { stdio: ['ignore', 'pipe', 'ignore'] });
  let total = 0;
  let most = 0;
  for await (const chunk of child.stdout) {
    total += (chunk as Buffer).length;
    most = Math.max(most, process.memoryUsage.rss());
    // A reader that is slower than the writer.
    if (total % 7 === 0) await Bun.sleep(0);
  }
  expect(total).toBe(300_000_000);
  expect(most).toBeLessThan(400_000_000);
});

test('a program that does not exist is an error event, an argument beyond 128 KiB is thrown', async () => {
  const { promise, resolve } = Promise.withResolvers<NodeJS.ErrnoException>();
  spawn('/nowhere/at/all', []).on('error', resolve);
  expect((await promise).code).toBe('ENOENT');
  expect(() => spawn('true', ['x'.repeat(131_072)])).toThrow(/E2BIG/);
});

test('"ignore" beyond standard error is a closed descriptor', async () => {
  const file = openSync('/dev/null', 'r');
  const child = spawn('sh', ['-c', '[ -e /proc/self/fd/3 ] && echo open || echo closed'], {
    stdio: ['ignore', 'pipe', 'ignore', 'ignore'],
  });
  let output = '';
  for await (const chunk of child.stdout as Readable) output += chunk;
  closeSync(file);
  expect(output).toBe('closed\n');
});
