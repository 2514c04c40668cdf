import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SeccompPrograms } from './seccomp-programs.ts';

const crun = { path: '/usr/bin/crun', arguments: [] };
let root = '';

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'seccomp-programs-'));
  const state = (id: string, bytes: Uint8Array): void => {
    mkdirSync(join(root, id));
    writeFileSync(join(root, id, 'seccomp.bpf'), bytes);
  };
  state('good', new Uint8Array(16).fill(7));
  state('empty', new Uint8Array(0));
  state('torn', new Uint8Array(13));
  state('huge', new Uint8Array(8 * 40_000));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe('compiled filters', () => {
  test('are learnt from crun, once', () => {
    const programs = new SeccompPrograms();
    expect(programs.find('filter')).toBeNull();
    programs.learn('filter', { id: 'good', runtime: crun, runtimeRoot: root });
    expect(programs.find('filter')).toBe(Buffer.alloc(16, 7).toString('base64'));
    expect(programs.find('another filter')).toBeNull();
  });
  for (const id of ['empty', 'torn', 'huge', 'gone']) {
    test(`not from a ${id} file`, () => {
      const programs = new SeccompPrograms();
      programs.learn('filter', { id, runtime: crun, runtimeRoot: root });
      expect(programs.find('filter')).toBeNull();
    });
  }
  test('not from another runtime', () => {
    const programs = new SeccompPrograms();
    programs.learn('filter', { id: 'good', runtime: { path: '/usr/sbin/runc', arguments: [] }, runtimeRoot: root });
    expect(programs.find('filter')).toBeNull();
  });
});
