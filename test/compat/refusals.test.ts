/** What dockerd 28.5 refuses we refuse, with its status and its words (recorded by `record-refusals.ts`). */
import { expect, test } from 'bun:test';
import { startEngine } from '../support/engine.ts';
import recorded from './docker-refusals.json' with { type: 'json' };
import { collectRefusals, type Refusal } from './refusals.ts';
import { askOver } from './scenario.ts';

test('refusals', async () => {
  const engine = await startEngine();
  try {
    const ours = new Map((await collectRefusals(askOver(engine.identity.socket))).map((one) => [one.request, one]));
    const different: string[] = [];
    for (const { request, status, message } of recorded as Refusal[]) {
      // What dockerd lets pass is not judged here.
      if (status < 300) continue;
      const own = ours.get(request);
      // dockerd says 500 to some wrong input; 400 is what it means.
      const fits = own?.status === status || (status === 500 && own?.status === 400);
      if (!fits || own?.message !== message)
        different.push(`${request}\n  ours   ${own?.status} ${own?.message}\n  Docker ${status} ${message}`);
    }
    expect(different.join('\n')).toBe('');
  } finally {
    await engine.cleanUp();
  }
}, 180_000);
