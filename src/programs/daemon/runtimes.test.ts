import { afterEach, beforeEach, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { defaultConfig } from './config.ts';
import { findDefaultRuntime, findRuntimes } from './settings.ts';

const path = process.env['PATH'];
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'runtimes-'));
  process.env['PATH'] = folder;
});
afterEach(() => {
  process.env['PATH'] = path;
  rmSync(folder, { recursive: true, force: true });
});

function found(...installed: string[]): string[] {
  for (const name of installed) writeFileSync(join(folder, name), '', { mode: 0o755 });
  const config = defaultConfig('/c');
  const runtimes = findRuntimes(config);
  const names = [...runtimes].map(([name, program]) => `${name}: ${basename(program.path)}`);
  return [findDefaultRuntime(config, runtimes), ...names];
}

test('Docker’s names for the ordinary runtime stand for crun where runc is not installed', () => {
  expect(found('crun')).toEqual(['crun', 'crun: crun', 'runc: crun', 'io.containerd.runc.v2: crun']);
});

test('and for runc where it is', () => {
  expect(found('crun', 'runc')).toEqual(['crun', 'crun: crun', 'runc: runc', 'io.containerd.runc.v2: runc']);
});
