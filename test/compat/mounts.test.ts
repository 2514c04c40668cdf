/** Every way to ask for a mount ends as under dockerd 28.5 (recorded by `record-mounts.ts`): refusal, inspect, and what the container sees. */
import { expect, test } from 'bun:test';
import { startEngine } from '../support/engine.ts';
import recorded from './docker-mounts.json' with { type: 'json' };
import { bound, made, memory } from './mount-cases.ts';
import { collectMountOutcomes, type MountOutcome } from './mounts.ts';
import { askOver } from './scenario.ts';

/** What is meant to be different, by request, and why. */
const accepted = new Map<string, string>([
  ['{"host":{"Binds":["/m"]}}', 'an anonymous volume has its name, without which `rm -v` would not find it'],
  ['{"host":{"Binds":["HOST/f/below:/m"]}}', 'a source that cannot be made is refused'],
  ['{"volumes":{"m":{}}}', 'the destination is shown with its slash'],
  ['{"volumes":{"/":{}}}', 'refused when it is made, not when it starts'],
  [JSON.stringify(bound({ ReadOnlyNonRecursive: true })), 'the same'],
  [JSON.stringify(bound({ ReadOnlyForceRecursive: true })), 'the same'],
  [JSON.stringify(bound({ ReadOnlyForceRecursive: true, ReadOnlyNonRecursive: true }, { ReadOnly: true })), 'the same'],
  [JSON.stringify(memory({ SizeBytes: -1 })), 'the same'],
  [JSON.stringify(made({ type: 'nosuchfs', device: 'none' })), 'dockerd mounts nothing at all'],
  [
    JSON.stringify(made({ type: 'nfs', device: ':/x', o: 'addr=no.such.host.invalid' })),
    'the name of the asked server is missing',
  ],
  ...['size=x', 'mode=9', 'shared', 'bind'].map(
    (options) => [JSON.stringify({ host: { Tmpfs: { '/m': options } } }), 'words of the runtime'] as const,
  ),
]);

test('mounts', async () => {
  const engine = await startEngine();
  try {
    const ours = new Map(
      (await collectMountOutcomes(askOver(engine.identity.socket))).map((one) => [one.request, one]),
    );
    const different: string[] = [];
    for (const theirs of recorded as MountOutcome[]) {
      const own = ours.get(theirs.request);
      const same = Bun.deepEquals(own && comparable(own), comparable(theirs));
      if (same === !accepted.has(theirs.request)) continue;
      different.push(`${theirs.request}\n  ours   ${JSON.stringify(own)}\n  Docker ${JSON.stringify(theirs)}`);
    }
    expect(different.join('\n')).toBe('');
  } finally {
    await engine.cleanUp();
  }
}, 180_000);

/**
 * dockerd says 500 to some wrong input; 400 is what it means. The host of the recording had its volumes on a shared mount, which made
 * slaves of them.
 */
function comparable(outcome: MountOutcome): MountOutcome {
  const refusal = (said: MountOutcome['create']) => ({ ...said, status: said.status === 500 ? 400 : said.status });
  return {
    ...outcome,
    create: refusal(outcome.create),
    start: outcome.start && refusal(outcome.start),
    seen: outcome.seen?.map((line) => line.replace(' master ', ' ')),
  };
}
