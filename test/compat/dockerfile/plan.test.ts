/** The table of plan-cases.ts, case by case. */
import { expect, test } from 'bun:test';
import { BerthError } from '../../../src/api/errors.ts';
import type { BuildPlan } from '../../../src/build/dockerfile/convert/plan.ts';
import { DockerfileError } from '../../../src/build/dockerfile/source-error.ts';
import { inOrder } from '../../../src/build/graph/vertex.ts';
import { planDockerfile, testPlatform } from '../../support/plan-dockerfile.ts';
import { type PlanCase, planCases } from './plan-cases.ts';
import { sourceCases } from './plan-source-cases.ts';

async function plan(one: PlanCase, images: string[]): Promise<BuildPlan> {
  return planDockerfile(one.dockerfile, {
    target: one.target ?? '',
    arguments: new Map(Object.entries(one.arguments ?? {})),
    labels: new Map(Object.entries(one.labels ?? {})),
    findImage: (reference) => {
      images.push(reference);
      if (reference === 'nosuch') throw new BerthError('not-found', 'No such image: nosuch:latest');
      const layers = [`sha256:${'1'.repeat(64)}`];
      return Promise.resolve({
        name: reference,
        id: `sha256:${'2'.repeat(64)}`,
        digest: '',
        layers,
        config: {
          ...testPlatform,
          config: { Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'], Cmd: ['sh'] },
          rootfs: { type: 'layers', diff_ids: layers },
        },
      });
    },
  });
}

for (const one of [...planCases, ...sourceCases]) {
  test(one.name, async () => {
    const images: string[] = [];
    const outcome = await plan(one, images).catch((error: unknown) => error);
    if (one.error) {
      expect(outcome).toBeInstanceOf(DockerfileError);
      const error = outcome as DockerfileError;
      if (typeof one.error.says === 'string') expect(error.message).toContain(one.error.says);
      else expect(error.message).toMatch(one.error.says);
      if (one.error.line !== undefined) expect(error.range.first).toBe(one.error.line);
      return;
    }
    if (outcome instanceof Error) throw outcome;
    const { image, root } = outcome as BuildPlan;
    expect(image.config).toMatchObject((one.config ?? {}) as never);
    if (one.history) expect(image.history.map(({ createdBy }) => createdBy)).toEqual(one.history);
    if (one.author) expect(image.author).toBe(one.author);
    if (one.images) expect(images).toEqual(one.images);
    const names = inOrder([root]).map(({ label }) => label.name);
    for (const step of one.steps ?? []) expect(names).toContain(step);
  });
}
