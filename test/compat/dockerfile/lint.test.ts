/** The table of lint-cases.ts, case by case. */
import { expect, test } from 'bun:test';
import { BerthError, errorMessage } from '../../../src/api/errors.ts';
import { directivesOf } from '../../../src/build/dockerfile/lines.ts';
import { Linter } from '../../../src/build/dockerfile/lint/linter.ts';
import { emptyImage, planDockerfile } from '../../support/plan-dockerfile.ts';
import { type LintCase, lintCases } from './lint-cases.ts';

async function plan(one: LintCase, linter: Linter): Promise<void> {
  await planDockerfile(one.dockerfile, {
    target: one.target ?? '',
    allStages: one.target === undefined,
    linter,
    arguments: new Map(Object.entries(one.arguments ?? {})),
    ignored: one.ignored?.trim().split('\n') ?? [],
    findImage: (name) => {
      if (!name.startsWith('busybox')) throw new BerthError('not-found', `${name}: not found`);
      return Promise.resolve(emptyImage(name));
    },
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
