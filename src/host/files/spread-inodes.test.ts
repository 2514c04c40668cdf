import { expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { spreadInodes } from './spread-inodes.ts';

const lines = (command: string[]): string => Bun.spawnSync(command).stdout.toString();

test('a directory of ext4 becomes a top directory, once', () => {
  const directory = mkdtempSync(join('/var/tmp', 'spread-'));
  try {
    const isExt4 = lines(['stat', '-f', '-c', '%T', directory]).startsWith('ext2/ext3');
    spreadInodes(directory);
    const first = lines(['lsattr', '-d', directory]);
    spreadInodes(directory);
    expect(lines(['lsattr', '-d', directory])).toBe(first);
    if (isExt4) expect(first.split(' ')[0]).toContain('T');
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('a file system that knows no such thing is left alone', () => {
  expect(() => spreadInodes('/proc')).not.toThrow();
  expect(() => spreadInodes('/dev/shm')).not.toThrow();
});
