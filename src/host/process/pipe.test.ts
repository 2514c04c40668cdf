import { expect, test } from 'bun:test';
import { spawn } from 'node:child_process';
import { readdirSync, readlinkSync } from 'node:fs';
import { openPipe, type PipeReader } from './pipe.ts';

function start(script: string): PipeReader {
  const { reader, writer, closeWriter } = openPipe();
  spawn('sh', ['-c', script], { stdio: ['ignore', writer, 'ignore'] });
  closeWriter();
  return reader;
}

async function drain(reader: PipeReader): Promise<string> {
  const target = Buffer.alloc(70_000);
  const parts: string[] = [];
  for (;;) {
    const count = await reader.read(target);
    if (count === 0) break;
    parts.push(target.toString('latin1', 0, count));
  }
  reader.close();
  return parts.join('');
}

function openPipes(): string[] {
  const links = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return ''; // the directory's own descriptor
    }
  });
  return links.filter((link) => link.startsWith('pipe:')).sort();
}

test('all that a child writes, also where it takes its time; nothing stays open', async () => {
  const before = openPipes();
  expect((await drain(start('head -c 3000001 /dev/zero'))).length).toBe(3_000_001);
  expect(await drain(start('echo one; sleep 0.05; echo two'))).toBe('one\ntwo\n');
  expect(await drain(start(':'))).toBe('');
  expect(openPipes()).toEqual(before);
});

test('whoever closes it hears of the end', async () => {
  const reader = start('sleep 5');
  const reading = reader.read(Buffer.alloc(10));
  reader.close();
  expect(await reading).toBe(0);
  reader.close();
});
