/** The table of plan-cases.ts, case by case. */
import { expect, test } from 'bun:test';
import { BerthError } from '../../../src/api/errors.ts';
import { convertDockerfile } from '../../../src/build/dockerfile/convert/convert.ts';
import type { BuildPlan } from '../../../src/build/dockerfile/convert/plan.ts';
import { Linter } from '../../../src/build/dockerfile/lint/linter.ts';
import { parseDockerfile } from '../../../src/build/dockerfile/parse.ts';
import { DockerfileError } from '../../../src/build/dockerfile/source-error.ts';
import { inOrder } from '../../../src/build/graph/vertex.ts';
import { type PlanCase, planCases } from './plan-cases.ts';

const platform = { os: 'linux', architecture: 'amd64' };

async function plan(one: PlanCase, images: string[]): Promise<BuildPlan> {
  return convertDockerfile(parseDockerfile(one.dockerfile), {
    target: one.target ?? '',
    linter: new Linter(),
    arguments: new Map(Object.entries(one.arguments ?? {})),
    labels: new Map(Object.entries(one.labels ?? {})),
    noCache: false,
    platform,
    buildPlatform: platform,
    epoch: null,
    network: 'default',
    extraHosts: [],
    limits: {},
    namedContexts: new Map(),
    slot: 'test',
    allowInsecure: false,
    allowHostNetwork: false,
    findImage: (reference) => {
      images.push(reference);
      if (reference === 'nosuch') throw new BerthError('not-found', 'No such image: nosuch:latest');
      return Promise.resolve({
        name: reference,
        id: `sha256:${'2'.repeat(64)}`,
        layers: [`sha256:${'1'.repeat(64)}`],
        config: {
          architecture: 'amd64',
          os: 'linux',
          config: { Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'], Cmd: ['sh'] },
          rootfs: { type: 'layers', diff_ids: [`sha256:${'1'.repeat(64)}`] },
        },
      });
    },
  });
}

for (const one of planCases) {
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
