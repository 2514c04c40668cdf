/** Many clients that do everything to the same few containers at once: each gets an answer that fits, and nothing is left of it. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { startEngine, type TestEngine } from '../support/engine.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startEngine({ images: ['busybox'] });
});
afterAll(() => engine.cleanUp());

const clients = 10;
const steps = 80;
const names = ['one', 'two', 'three', 'four'];

/** Numbers from 0 to 1 that look random and are the same in each run (mulberry32). */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

test('a storm of verbs', async () => {
  const problems: string[] = [];
  const done = new Map<string, number>();
  const client = async (seed: number): Promise<void> => {
    const random = generator(seed);
    const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;
    for (let step = 0; step < steps; step++) {
      const name = pick(names);
      const [method, path, body] = pick<() => [string, string, unknown?]>([
        () => ['POST', `create?name=${name}`, wish(pick)],
        () => ['POST', `create?name=${name}`, wish(pick)],
        () => ['POST', `${name}/start`],
        () => ['POST', `${name}/start`],
        () => ['POST', `${name}/stop?t=0`],
        () => ['POST', `${name}/restart?t=0`],
        () => ['POST', `${name}/kill`],
        () => ['POST', `${name}/pause`],
        () => ['POST', `${name}/unpause`],
        () => ['POST', `${name}/rename?name=${pick(names)}`],
        () => ['POST', `${name}/update`, { Memory: 64_000_000, MemorySwap: -1 }],
        () => ['POST', `${name}/exec`, { Cmd: ['true'] }],
        () => ['GET', `${name}/archive?path=/etc`],
        () => ['GET', `${name}/json`],
        () => ['GET', 'json?all=1'],
        () => ['DELETE', `${name}?force=1&v=1`],
      ])();
      const answer = await engine.request(method, `/containers/${path}`, body);
      const text = await answer.text();
      const verb = method === 'POST' ? path.replace(/\?.*/, '').replace(/^.*\//, '') : method;
      const kind = `${verb} ${answer.status}`;
      done.set(kind, (done.get(kind) ?? 0) + 1);
      // Docker answers so for a container that is not paused.
      if (answer.status >= 500 && !text.includes('is not paused'))
        problems.push(`${method} ${path}: ${answer.status} ${text}`);
    }
  };
  await Promise.all(Array.from({ length: clients }, (_, number) => client(number + 1)));
  expect(problems).toEqual([]);
  // It was a storm of work, not of refusals.
  for (const kind of ['create 201', 'start 204', 'DELETE 204']) expect(done.get(kind) ?? 0).toBeGreaterThan(5);
  await engine.removeContainers();
  expect(await engine.ok('ps', '-aq')).toBe('');
  expect(engine.log).not.toContain('TypeError');
}, 300_000);

function wish(pick: <T>(values: readonly T[]) => T): unknown {
  return {
    Image: 'busybox',
    Cmd: ['sh', '-c', pick(['sleep 1000', 'usleep 100000; exit 3', 'exit 1'])],
    Healthcheck: {
      Test: ['CMD-SHELL', pick(['true', 'false', 'sleep 1'])],
      Interval: 50e6,
      Timeout: 100e6,
      Retries: 1,
    },
    HostConfig: {
      NetworkMode: pick(['none', 'bridge']),
      RestartPolicy: { Name: pick(['no', 'always', 'on-failure']) },
      Annotations: { 'berth.on-unhealthy': pick(['none', 'restart', 'stop', 'kill']) },
    },
  };
}
