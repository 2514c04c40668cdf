import { describe, expect, test } from 'bun:test';
import { readCgroupFacts } from './cgroup/detect.ts';
import { parseLimits, parseList, readHostFacts, unlimited } from './facts.ts';

describe('kernel lists', () => {
  const cases: [string, number[] | null][] = [
    ['0-3,8', [0, 1, 2, 3, 8]],
    ['', []],
    ['1,1', [1]],
    ['3-1', null],
    ['a', null],
    ['0-99999999', null],
  ];
  for (const [text, expected] of cases) test(`'${text}'`, () => expect(parseList(text)).toEqual(expected));
});

test('limits of a process', () => {
  const text =
    'Limit                     Soft Limit           Hard Limit           Units     \nMax open files            1024                 524288               files     \nMax core file size        0                    unlimited            bytes     \n';
  expect(parseLimits(text)).toEqual(
    new Map([
      ['RLIMIT_NOFILE', 524_288n],
      ['RLIMIT_CORE', unlimited],
    ]),
  );
});

describe('cgroup layouts', () => {
  test('a hybrid one counts as version 1', () => {
    const facts = readCgroupFacts(
      '30 1 0:1 / /cg/memory rw - cgroup cgroup rw,memory\n31 1 0:2 / /cg/cpu rw - cgroup cgroup rw,cpu,cpuacct\n32 1 0:3 / /cg/unified rw - cgroup2 cgroup2 rw\n',
    );
    expect([facts.version, facts.hybrid, facts.pids]).toEqual([1, true, false]);
    expect([...facts.controllers]).toEqual([
      ['memory', '/cg/memory'],
      ['cpu', '/cg/cpu'],
      ['cpuacct', '/cg/cpu'],
    ]);
  });
});

test('this machine can be read', () => {
  const facts = readHostFacts();
  expect(facts.cpus).toBeGreaterThan(0);
  expect(facts.memory).toBeGreaterThan(0);
  expect(facts.boundingCapabilities).toMatch(/^[0-9a-f]{16}$/);
  expect(facts.hardLimits.has('RLIMIT_NOFILE')).toBe(true);
});
