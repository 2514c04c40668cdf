import { describe, expect, test } from 'bun:test';
import { shimConfig } from './shim-config.ts';
import type { ShimSpec } from './types.ts';

const spec: ShimSpec = {
  id: 'c1',
  directory: '/run/c1',
  runtime: { path: '/usr/bin/crun', root: '/run/runtime', arguments: ['--debug'] },
  root: { kind: 'overlay', lower: ['/l/2/diff', '/l/1/diff'], upper: '/u', work: '/w', volatile: true },
  terminal: true,
  stdin: 'once',
  size: { rows: 24, columns: 80 },
  log: { driver: 'none' },
  network: { kind: 'join', path: '/proc/1/ns/net' },
  cgroupPath: '/berth/c1',
  attachments: [],
};

describe('shim.conf', () => {
  test('says everything once, layers from the top', () => {
    expect(shimConfig(spec).split('\n')).toEqual([
      'id c1',
      'runtime.path /usr/bin/crun',
      'runtime.root /run/runtime',
      'runtime.argument --debug',
      'cgroup /berth/c1',
      'terminal 1',
      'stdin once',
      'rows 24',
      'columns 80',
      'attachments 0',
      'root.lower /l/2/diff',
      'root.lower /l/1/diff',
      'root.upper /u',
      'root.work /w',
      'root.volatile 1',
      'network join /proc/1/ns/net',
      '',
    ]);
  });

  test('a value keeps its newlines and backslashes', () => {
    const value = 'a\\nb\nc\\';
    const text = shimConfig({
      ...spec,
      log: { driver: 'json-file', path: '/log', maxSize: -1, maxFile: 1, compress: false, attributes: { key: value } },
    });
    expect(text).toContain('log.attribute.value a\\\\nb\\nc\\\\\n');
  });

  test('a zero byte is refused', () => {
    expect(() => shimConfig({ ...spec, cgroupPath: '/a\0b' })).toThrow('zero byte');
  });
});
