/**
 * kill -9 of the engine at random moments of many clients' work, again and again; used by the fault suite with a few rounds and by the
 * soak with many. Afterwards the books and the kernel agree, no exit code and no line of a log is lost, and nothing is left behind.
 */
import { expect } from 'bun:test';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { TestEngine } from './engine.ts';
import { generator } from './random.ts';
import { until } from './until.ts';

interface Summary {
  Id: string;
  Names: string[];
  State: string;
}

interface State {
  Status: string;
  Running: boolean;
  Pid: number;
  ExitCode: number;
  Error: string;
}

type Random = () => number;

const bystander = 'bystander';
/** Exit code of the clients' containers that ran to their end. */
const done = 3;

/** @param seed of the moments and of the work, to repeat a run */
export async function killAtRandom(engine: TestEngine, rounds: number, seed: number): Promise<void> {
  const random = generator(seed);
  const count = 'i=0; while :; do echo $i; i=$((i+1)); usleep 5000; done';
  await engine.ok('run', '-d', '--name', bystander, '-p', '127.0.0.1::80', 'busybox', 'sh', '-c', count);
  const before = await engine.inspect(bystander);
  for (let round = 0; round < rounds; round++) {
    const clients = Array.from({ length: 4 }, (_, index) => work(engine, random, `r${round}-${index}`));
    await setTimeout(Math.floor(random() * 250));
    await engine.kill9();
    await Promise.all(clients);
    await engine.start();
    await expectRest(engine, round);
    await expectNetworksToAgree(engine);
    await clear(engine);
    const now = await engine.inspect(bystander);
    expect({ round, pid: now.State.Pid, ports: now.NetworkSettings.Ports }).toEqual({
      round,
      pid: before.State.Pid,
      ports: before.NetworkSettings.Ports,
    });
    expect(existsSync(`/proc/${now.State.Pid}`)).toBe(true);
  }
  await engine.ok('stop', '-t', '0', bystander);
  const lines = (await engine.ok('logs', bystander)).split('\n');
  expect(lines).toEqual(lines.map((_, index) => String(index)));
  await engine.ok('rm', bystander);
  await until('the volumes of what went to be gone', () => volumeDirectories(engine).length === 0);
  await engine.expectNoLeaks();
}

/** One client's work; what fails because the engine dies is expected. */
async function work(engine: TestEngine, random: Random, name: string): Promise<void> {
  const script = `echo begin; usleep ${Math.floor(random() * 50_000)}; echo end; exit ${done}`;
  const network = random() < 0.3 ? `n-${name}` : null;
  if (network) await engine.berth('network', 'create', network);
  const options = [
    ...(random() < 0.5 ? ['--rm'] : []),
    ...(random() < 0.3 ? ['-p', '127.0.0.1::80'] : []),
    ...(random() < 0.3 ? ['-t'] : []),
    ...(random() < 0.3 ? ['-v', '/anonymous'] : []),
    ...(random() < 0.2 ? ['-v', `v-${name}:/etc`] : []),
    ...(network && random() < 0.5 ? ['--network', network] : []),
  ];
  await engine.berth('run', ...options, '--name', name, 'busybox', 'sh', '-c', script);
  if (random() < 0.3) await engine.berth('exec', bystander, 'true');
  if (network && random() < 0.5) await engine.berth('network', 'connect', network, bystander);
  if (network && random() < 0.5) await engine.berth('network', 'disconnect', network, bystander);
  if (random() < 0.2) await engine.berth('commit', name, `image-${name}`);
  if (random() < 0.3) await engine.berth('start', '-a', name);
  if (random() < 0.5) await engine.berth('rm', '-f', '-v', name);
  if (network) await engine.berth('network', 'rm', network);
}

async function containers(engine: TestEngine): Promise<Summary[]> {
  return (await (await engine.request('GET', '/containers/json?all=1')).json()) as Summary[];
}

/** Every container comes to rest: it is gone, never ran, or ended with what it wrote. */
async function expectRest(engine: TestEngine, round: number): Promise<void> {
  for (const { Id, Names } of await containers(engine)) {
    if (Names[0] === `/${bystander}`) continue;
    const state = await until(`${Names[0]} to come to rest`, async () => {
      const response = await engine.request('GET', `/containers/${Id}/json`);
      if (response.status === 404) return 'gone';
      const { State } = (await response.json()) as { State: State };
      if (State.Running || State.Status === 'removing') throw new Error(JSON.stringify(State));
      return State;
    });
    if (state === 'gone' || state.Status !== 'exited') continue;
    const { ExitCode, Error: reason } = state;
    // Anything but its own end must say why.
    if (ExitCode !== done) {
      expect({ round, ExitCode, reason }).toEqual({ round, ExitCode, reason: expect.stringMatching(/./) });
      continue;
    }
    // It may have been started twice.
    expect((await engine.ok('logs', Id)).replaceAll('\r', '')).toMatch(/^begin\nend(\nbegin\nend)?$/);
  }
}

async function expectNetworksToAgree(engine: TestEngine): Promise<void> {
  const shown = Object.keys((await engine.inspect(bystander)).NetworkSettings.Networks).sort();
  const networks = (await (await engine.request('GET', '/networks')).json()) as { Name: string; Id: string }[];
  const joined: string[] = [];
  for (const { Name, Id } of networks) {
    const network = (await (await engine.request('GET', `/networks/${Id}`)).json()) as {
      Containers: Record<string, { Name: string }>;
    };
    if (Object.values(network.Containers).some((member) => member.Name === bystander)) joined.push(Name);
  }
  expect(joined.sort()).toEqual(shown);
}

/** Everything but the bystander goes. */
async function clear(engine: TestEngine): Promise<void> {
  const others = (await containers(engine)).filter(({ Names }) => Names[0] !== `/${bystander}`);
  await Promise.all(others.map(({ Id }) => engine.request('DELETE', `/containers/${Id}?force=1&v=1`)));
  const networks = (await (await engine.request('GET', '/networks')).json()) as { Name: string; Id: string }[];
  for (const { Name, Id } of networks) {
    if (!Name.startsWith('n-')) continue;
    await engine.request('POST', `/networks/${Id}/disconnect`, { Container: bystander, Force: true });
    expect((await engine.request('DELETE', `/networks/${Id}`)).status).toBe(204);
  }
  await engine.request('POST', '/volumes/prune?filters={"all":["true"]}');
  for (const { RepoTags } of (await (await engine.request('GET', '/images/json')).json()) as { RepoTags: string[] }[])
    for (const tag of RepoTags) if (tag.startsWith('image-')) await engine.request('DELETE', `/images/${tag}?force=1`);
}

function volumeDirectories(engine: TestEngine): string[] {
  const path = join(engine.identity.dataRoot, 'volumes');
  return existsSync(path) ? readdirSync(path) : [];
}
