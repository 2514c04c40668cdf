/** A Dockerfile's plan without an engine: nothing is built, and images are whatever the test says. */
import { convertDockerfile } from '../../src/build/dockerfile/convert/convert.ts';
import type { BaseImage, BuildPlan, PlanOptions } from '../../src/build/dockerfile/convert/plan.ts';
import { Linter } from '../../src/build/dockerfile/lint/linter.ts';
import { parseDockerfile } from '../../src/build/dockerfile/parse.ts';

export const testPlatform = { os: 'linux', architecture: 'amd64' };

/** An image with nothing in it. */
export function emptyImage(name: string): BaseImage {
  const config = { ...testPlatform, config: {}, rootfs: { type: 'layers' as const, diff_ids: [] } };
  return { name, id: `sha256:${'2'.repeat(64)}`, digest: '', layers: [], config };
}

/** Error: `DockerfileError`. @param wishes what differs from a build without any flags */
export async function planDockerfile(text: string, wishes: Partial<PlanOptions> = {}): Promise<BuildPlan> {
  const linter = wishes.linter ?? new Linter();
  return await convertDockerfile(parseDockerfile(text, linter), {
    target: '',
    linter,
    arguments: new Map(),
    labels: new Map(),
    noCache: false,
    platform: testPlatform,
    buildPlatform: testPlatform,
    epoch: null,
    network: 'default',
    extraHosts: [],
    limits: {},
    namedContexts: new Map(),
    slot: 'test',
    allowInsecure: false,
    allowHostNetwork: false,
    findImage: (name) => Promise.resolve(emptyImage(name)),
    ...wishes,
  });
}
