/** The table of lint-cases.ts, case by case. */
import { expect, test } from 'bun:test';
import { BerthError, errorMessage } from '../../../src/api/errors.ts';
import { convertDockerfile } from '../../../src/build/dockerfile/convert/convert.ts';
import type { BaseImage } from '../../../src/build/dockerfile/convert/plan.ts';
import { directivesOf } from '../../../src/build/dockerfile/lines.ts';
import { Linter } from '../../../src/build/dockerfile/lint/linter.ts';
import { parseDockerfile } from '../../../src/build/dockerfile/parse.ts';
import { type LintCase, lintCases } from './lint-cases.ts';

const platform = { os: 'linux', architecture: 'amd64' };

function findImage(name: string): Promise<BaseImage> {
  if (!name.startsWith('busybox')) throw new BerthError('not-found', `${name}: not found`);
  const config = { ...platform, config: {}, rootfs: { type: 'layers' as const, diff_ids: [] } };
  return Promise.resolve({ name, id: '', layers: [], config });
}

async function plan(one: LintCase, linter: Linter): Promise<void> {
  await convertDockerfile(parseDockerfile(one.dockerfile, linter), {
    target: one.target ?? '',
    allStages: one.target === undefined,
    linter,
    arguments: new Map(Object.entries(one.arguments ?? {})),
    labels: new Map(),
    noCache: false,
    platform,
    buildPlatform: platform,
    epoch: null,
    network: 'default',
    extraHosts: [],
    limits: {},
    namedContexts: new Map(),
    ignored: one.ignored?.trim().split('\n') ?? [],
    slot: 'test',
    allowInsecure: false,
    allowHostNetwork: false,
    findImage,
  });
}

for (const one of lintCases) {
  test(one.name, async () => {
    let linter = new Linter();
    let error: string | null = null;
    try {
      linter = new Linter(directivesOf(one.dockerfile).check);
      await plan(one, linter);
      error = linter.violation;
    } catch (caught) {
      error = errorMessage(caught);
    }
    const told = linter.warnings.map(({ rule, detail, range }) => `${range.first} ${rule}: ${detail}`);
    expect(told.toSorted()).toEqual([...one.warnings].sort());
    expect(error).toBe(one.error ?? null);
  });
}
