/** A process that does not read its input to the end: what it said is there all the same. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { startEngine, type TestEngine } from '../support/engine.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startEngine({ images: ['busybox'] });
  await engine.ok('run', '-d', '--name', 'box', 'busybox', 'sleep', '1000');
});
afterAll(() => engine.cleanUp());

/** More than all the buffers on the way hold, so that the client is still writing at the end. */
const input = 'y\n'.repeat(4_000_000);

describe.each(['berth', 'docker'] as const)('%s', (client) => {
  for (const [name, ...words] of [
    ['exec', 'exec', '-i', 'box', 'head', '-n', '1'],
    ['run', 'run', '--rm', '-i', 'busybox', 'head', '-n', '1'],
    ['exec that goes on', 'exec', '-i', 'box', 'sh', '-c', 'exec 0<&-; usleep 50000; echo y'],
  ] as const)
    test(`${name}: ten times`, async () => {
      const outputs = [];
      for (let round = 0; round < 10; round++) {
        const { stdout, code } = await engine[`${client}With`]({ stdin: input }, ...words);
        outputs.push(`${code} ${stdout}`);
      }
      expect(outputs).toEqual(Array.from({ length: 10 }, () => '0 y\n'));
    });
});
