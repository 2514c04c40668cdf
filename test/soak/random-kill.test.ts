/**
 * kill -9 of the engine at random moments of many clients' work, again and again. The seed is printed; `SOAK_SEED` repeats a run,
 * `SOAK_ROUNDS` makes it shorter or longer.
 */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { existsSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { generator } from '../support/random.ts';
import { until } from '../support/until.ts';

const rounds = Number(process.env['SOAK_ROUNDS'] ?? 200);
const seed = Number(process.env['SOAK_SEED'] ?? Date.now() % 1_000_000);

let engine: TestEngine;
beforeAll(async () => {
  engine = await startEngine({ images: ['busybox'] });
  await engine.ok(
    'run',
    '-d',
    '--name',
    'bystander',
    '-p',
    '127.0.0.1::80',
    'busybox',
    'sh',
    '-c',
    'i=0; while :; do echo $i; i=$((i+1)); usleep 5000; done',
  );
});
afterAll(() => engine.cleanUp());

interface Summary {
  Id: string;
  Names: string[];
  State: string;
}

async function containers(): Promise<Summary[]> {
  return (await (await engine.request('GET', '/containers/json?all=1')).json()) as Summary[];
}

/** One client's work; what fails because the engine dies is expected. */
async function work(random: () => number, name: string): Promise<void> {
  const script = `echo begin; usleep ${Math.floor(random() * 50_000)}; echo end; exit 3`;
  const options = [
    ...(random() < 0.5 ? ['--rm'] : []),
    ...(random() < 0.3 ? ['-p', '127.0.0.1::80'] : []),
    ...(random() < 0.3 ? ['-t'] : []),
  ];
  await engine.berth('run', ...options, '--name', name, 'busybox', 'sh', '-c', script);
  if (random() < 0.5) await engine.berth('exec', 'bystander', 'true');
  if (random() < 0.5) await engine.berth('rm', '-f', name);
}

test(`${rounds} kills, seed ${seed}`, async () => {
  const random = generator(seed);
  const before = await engine.inspect('bystander');
  for (let round = 0; round < rounds; round++) {
    const clients = Array.from({ length: 3 }, (_, index) => work(random, `r${round}-${index}`));
    await setTimeout(Math.floor(random() * 150));
    await engine.kill9();
    await Promise.all(clients);
    await engine.start();
    for (const { Id, Names } of await containers()) {
      if (Names[0] === '/bystander') continue;
      const { State } = await until(`${Names[0]} to come to rest`, async () => {
        const response = await engine.request('GET', `/containers/${Id}/json`);
        if (response.status === 404) return { State: { Status: 'gone' } };
        const found = (await response.json()) as {
          State: { Status: string; Running: boolean; Pid: number; ExitCode: number };
        };
        if (found.State.Running || found.State.Status === 'removing') throw new Error(JSON.stringify(found.State));
        return found;
      });
      if (State.Status === 'exited') {
        const { ExitCode, Error: reason } = (await engine.inspect(Id)).State;
        // 3: it ran to its end. Anything else must say why.
        if (ExitCode !== 3)
          expect({ round, ExitCode, reason }).toEqual({ round, ExitCode, reason: expect.stringMatching(/./) });
        else expect((await engine.ok('logs', Id)).replaceAll('\r', '')).toBe('begin\nend');
      }
    }
    const others = (await containers()).filter(({ Names }) => Names[0] !== '/bystander');
    await Promise.all(others.map(({ Id }) => engine.request('DELETE', `/containers/${Id}?force=1`)));
    const now = await engine.inspect('bystander');
    expect({ round, pid: now.State.Pid, ports: now.NetworkSettings.Ports }).toEqual({
      round,
      pid: before.State.Pid,
      ports: before.NetworkSettings.Ports,
    });
    expect(existsSync(`/proc/${now.State.Pid}`)).toBe(true);
  }
  await engine.ok('stop', '-t', '0', 'bystander');
  const lines = (await engine.ok('logs', 'bystander')).split('\n');
  expect(lines).toEqual(lines.map((_, index) => String(index)));
  await engine.removeContainers();
  await engine.expectNoLeaks();
});
