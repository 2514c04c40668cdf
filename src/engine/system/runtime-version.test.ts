import { expect, test } from 'bun:test';
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseRuntimeVersion, RuntimeVersions } from './runtime-version.ts';

test('what crun, runc and strangers say', () => {
  expect(parseRuntimeVersion('crun version 1.8.1\ncommit: f8a096be\nrundir: /run/crun\nspec: 1.0.0\n')).toEqual({
    version: '1.8.1',
    commit: 'f8a096be',
  });
  expect(parseRuntimeVersion('runc version 1.3.6+ds1\ncommit: 1.3.6+ds1-1\nspec: 1.2.1\n')).toEqual({
    version: '1.3.6+ds1',
    commit: '1.3.6+ds1-1',
  });
  expect(parseRuntimeVersion('usage: strange [options]')).toEqual({ version: '', commit: '' });
});

test('a runtime is asked once, and again when its program was replaced or did not answer', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'berth-runtime-'));
  const program = join(directory, 'crun');
  writeFileSync(program, '');
  const answers: (string | Error)[] = ['crun version 1', 'crun version 2', new Error('busy'), '', 'crun version 3'];
  const versions = new RuntimeVersions(() => {
    const answer = answers.shift() as string | Error;
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  });
  const version = async (): Promise<string> => (await versions.of(program)).version;
  expect([await version(), await version()]).toEqual(['1', '1']);
  utimesSync(program, 1, 1);
  expect(await version()).toBe('2');
  utimesSync(program, 2, 2);
  expect([await version(), await version(), await version()]).toEqual(['', '', '3']);
  rmSync(directory, { recursive: true });
  expect(await version()).toBe('');
});
