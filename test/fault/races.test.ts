/**
 * Two callers at once with verbs on the same object: each is answered, no answer is a failure of the engine, one of them wins where only
 * one can, and afterwards the books, the kernel and the disk agree. The seed is printed; `RACE_SEED` repeats a run, `RACE_ROUNDS` makes it longer.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test';
import { existsSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { generator } from '../support/random.ts';
import { until } from '../support/until.ts';

const seed = Number(process.env['RACE_SEED'] ?? Date.now() % 1_000_000);
const random = generator(seed);
const rounds = Number(process.env['RACE_ROUNDS'] ?? 3);

let engine: TestEngine;
beforeAll(async () => {
  engine = await startEngine({ images: ['busybox'] });
});
afterEach(async () => {
  await engine.removeContainers();
  await engine.request('POST', '/networks/prune');
  await engine.request('POST', '/volumes/prune?filters={"all":["true"]}');
  await engine.expectNoLeaks();
});
afterAll(() => engine.cleanUp());

type Call = [method: string, path: string, body?: unknown];

const command = { Image: 'busybox', Cmd: ['sh', '-c', 'trap exit TERM; while :; do sleep 1000 & wait; done'] };
const create: Call = ['POST', '/containers/create?name=xx', command];
const start: Call = ['POST', '/containers/xx/start'];
const stop: Call = ['POST', '/containers/xx/stop?t=1'];
const kill: Call = ['POST', '/containers/xx/kill'];
const restart: Call = ['POST', '/containers/xx/restart?t=1'];
const pause: Call = ['POST', '/containers/xx/pause'];
const unpause: Call = ['POST', '/containers/xx/unpause'];
const remove: Call = ['DELETE', '/containers/xx?v=1'];
const forceRemove: Call = ['DELETE', '/containers/xx?force=1&v=1'];
const rename: Call = ['POST', '/containers/xx/rename?name=yy'];
const wait: Call = ['POST', '/containers/xx/wait?condition=removed'];
const commit: Call = ['POST', '/commit?container=xx&repo=made'];
const inspect: Call = ['GET', '/containers/xx/json?size=1'];
const archive: Call = ['GET', '/containers/xx/archive?path=/etc'];
const connect: Call = ['POST', '/networks/nn/connect', { Container: 'xx' }];
const disconnect: Call = ['POST', '/networks/nn/disconnect', { Container: 'xx' }];
const createNetwork: Call = ['POST', '/networks/create', { Name: 'nn' }];
const removeNetwork: Call = ['DELETE', '/networks/nn'];
const createVolume: Call = ['POST', '/volumes/create', { Name: 'vv' }];
const removeVolume: Call = ['DELETE', '/volumes/vv'];
const createWithVolume: Call = [
  'POST',
  '/containers/create?name=xx',
  { ...command, HostConfig: { Binds: ['vv:/v', '/anonymous'] } },
];

/** What users understand, but Docker calls an internal error. */
const dockersOwn = /is not paused|is not connected to (the )?network/;

/** The status; 0 where there is no answer in time; the message of an internal error. */
async function ask([method, path, body]: Call): Promise<number | string> {
  const limit = setTimeout(60_000, 0);
  const answer = engine.request(method, path, body).then(async (response) => {
    const text = await response.text();
    return response.status === 500 ? (dockersOwn.test(text) ? 409 : text) : response.status;
  });
  return await Promise.race([answer, limit]);
}

/** Both at nearly the same moment, in either order. */
async function atOnce(one: Call, two: Call): Promise<[number | string, number | string]> {
  const late = async (call: Call): Promise<number | string> => {
    await setTimeout(random() * 12);
    return ask(call);
  };
  const calls = random() < 0.5 ? [ask(one), late(two)] : [late(one), ask(two)];
  return (await Promise.all(calls)) as [number | string, number | string];
}

/** An answer that a user understands: done, nothing to do, not possible now, not there. */
const sound: (number | string)[] = [200, 201, 204, 304, 400, 403, 404, 409];

async function expectBooksToAgree(): Promise<void> {
  for (const { Id } of (await (await engine.request('GET', '/containers/json?all=1')).json()) as { Id: string }[]) {
    await until(`${Id} to agree with the kernel`, async () => {
      const { State } = await engine.inspect(Id);
      expect(State.Dead).toBe(false);
      return State.Running === (State.Pid > 0 && existsSync(`/proc/${State.Pid}`));
    });
  }
}

describe(`seed ${seed}: a container`, () => {
  const created = [create];
  const running = [create, start];
  const paused = [create, start, pause];
  const connected = [createNetwork, create, start, connect];
  const cases: [name: string, before: Call[], one: Call, two: Call][] = [
    ['create and create', [], create, create],
    ['create and rename to the same name', [['POST', '/containers/create?name=yy', command]], create, rename],
    ['start and start', created, start, start],
    ['start and rm', created, start, remove],
    ['start and rm -f', created, start, forceRemove],
    ['start and stop', created, start, stop],
    ['start and rename', created, start, rename],
    ['start and connect', [createNetwork, create], start, connect],
    ['stop and stop', running, stop, stop],
    ['stop and kill', running, stop, kill],
    ['stop and rm -f', running, stop, forceRemove],
    ['stop and pause', running, stop, pause],
    ['stop and restart', running, stop, restart],
    ['restart and restart', running, restart, restart],
    ['restart and rm -f', running, restart, forceRemove],
    ['pause and rm -f', running, pause, forceRemove],
    ['pause and unpause', running, pause, unpause],
    ['unpause and stop', paused, unpause, stop],
    ['rm and rm', created, remove, remove],
    ['rm -f and rm -f', running, forceRemove, forceRemove],
    ['rm -f and wait', running, forceRemove, wait],
    ['rm -f and commit', running, forceRemove, commit],
    ['rm -f and cp', running, forceRemove, archive],
    ['rm -f and inspect', running, forceRemove, inspect],
    ['rm -f and connect', [createNetwork, create, start], forceRemove, connect],
    ['rm -f and disconnect', connected, forceRemove, disconnect],
    ['connect and connect', [createNetwork, create, start], connect, connect],
    ['disconnect and disconnect', connected, disconnect, disconnect],
    ['stop and disconnect', connected, stop, disconnect],
  ];
  test.each(cases)('%s', async (_name, before, one, two) => {
    for (let round = 0; round < rounds; round++) {
      for (const call of before) expect<(number | string)[]>([201, 200, 204]).toContain(await ask(call));
      const answers = await atOnce(one, two);
      for (const answer of answers) expect(sound).toContain(answer);
      await expectBooksToAgree();
      // Whatever came of it, its name is free at once when it is gone.
      await Promise.all(['xx', 'yy'].map((name) => ask(['DELETE', `/containers/${name}?force=1&v=1`])));
      expect(await ask(['GET', '/containers/xx/json'])).toBe(404);
      await ask(removeNetwork);
    }
  });

  test('create and create: one wins', async () => {
    for (let round = 0; round < rounds; round++) {
      expect((await atOnce(create, create)).sort()).toEqual([201, 409]);
      expect(await ask(remove)).toBe(204);
    }
  });

  test('rm and rm: one of them at least does it, the other is told why not', async () => {
    for (let round = 0; round < rounds; round++) {
      expect(await ask(create)).toBe(201);
      const answers = await atOnce(remove, remove);
      expect(answers).toContain(204);
      for (const answer of answers) expect<(number | string)[]>([204, 404, 409]).toContain(answer);
      expect(await ask(create)).toBe(201);
      expect(await ask(remove)).toBe(204);
    }
  });
});

describe('networks and volumes', () => {
  const cases: [name: string, before: Call[], one: Call, two: Call][] = [
    ['create and create a network', [], createNetwork, createNetwork],
    ['remove and remove a network', [createNetwork], removeNetwork, removeNetwork],
    ['create and remove a network', [createNetwork], createNetwork, removeNetwork],
    ['remove and connect', [createNetwork, create, start], removeNetwork, connect],
    ['create and create a volume', [], createVolume, createVolume],
    ['remove and remove a volume', [createVolume], removeVolume, removeVolume],
    ['create and remove a volume', [createVolume], createVolume, removeVolume],
    ['a container with it and its removal', [createVolume], createWithVolume, removeVolume],
    ['a container with it and its creation', [], createWithVolume, createVolume],
    ['two containers with it', [], createWithVolume, createWithVolume],
  ];
  test.each(cases)('%s', async (_name, before, one, two) => {
    for (let round = 0; round < rounds; round++) {
      for (const call of before) expect<(number | string)[]>([201, 200, 204]).toContain(await ask(call));
      for (const answer of await atOnce(one, two)) expect(sound).toContain(answer);
      const made = await ask(['GET', '/containers/xx/json']);
      // A container that was made can be started: its volume is there.
      if (made === 200) expect<(number | string)[]>([204, 304]).toContain(await ask(start));
      await expectBooksToAgree();
      await ask(forceRemove);
      await ask(removeNetwork);
      await ask(removeVolume);
    }
  });
});
