/** kill -9 of the engine in the middle of changes of networks: the next engine, the kernel and the database agree. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { failpointsOf } from '../support/failpoints.ts';
import { bridgesOf } from '../support/leaks.ts';
import { answerOf, Machine } from '../support/machine.ts';

const steps = failpointsOf('network');

let host: Machine;
let engine: TestEngine;
beforeAll(async () => {
  host = await Machine.start();
  engine = await startEngine({ images: ['busybox'], machine: host });
});
afterEach(async () => {
  engine.failpoints.clear();
  await engine.removeContainers();
  await engine.request('POST', '/networks/prune');
  await engine.expectNoLeaks();
});
afterAll(async () => {
  await engine.cleanUp();
  await host.stop();
});

/** Names of the interfaces in the container, loopback left out. */
async function interfaces(container: string): Promise<string[]> {
  const { Pid } = (await engine.inspect(container)).State;
  const lines = (await host.ok('nsenter', `--net=/proc/${Pid}/ns/net`, 'ip', '-o', 'link')).trim().split('\n');
  return lines.map((line) => line.split(': ')[1]?.split('@')[0] ?? '').filter((name) => name !== 'lo');
}

async function networkNames(): Promise<string[]> {
  const networks = (await (await engine.request('GET', '/networks')).json()) as { Name: string }[];
  return networks.map(({ Name }) => Name).sort();
}

test('the source has steps to kill at', () => {
  expect(steps.length).toBeGreaterThan(6);
});

describe('kill -9', () => {
  test.each(steps)('at %s', async (step) => {
    const created = await engine.request('POST', '/networks/create', { Name: 'before', EnableIPv6: true });
    expect(created.status).toBe(201);
    const server = ['busybox', 'sh', '-c', 'mkdir /w; echo here >/w/index.html; exec httpd -f -p 80 -h /w'];
    await engine.ok('run', '-d', '--name', 'member', '-p', '8600:80', ...server);
    await answerOf(host, 'http://127.0.0.1:8600/');
    engine.failpoints.arm(step, 'kill9');
    // One of these strikes; those after it meet nobody.
    for (const [method, path, body] of [
      ['POST', '/networks/create', { Name: 'made', EnableIPv6: true }],
      ['POST', '/networks/before/connect', { Container: 'member' }],
      ['POST', '/networks/before/disconnect', { Container: 'member' }],
      ['DELETE', '/networks/before', undefined],
    ] as const) {
      try {
        await engine.request(method, path, body);
      } catch {
        // The engine died.
        break;
      }
    }
    expect(engine.failpoints.hits()).toEqual([step]);
    await engine.died();
    await engine.start();

    const shown = Object.keys((await engine.inspect('member')).NetworkSettings.Networks);
    expect(await interfaces('member')).toHaveLength(shown.length);
    for (const name of await networkNames()) {
      const network = await (await engine.request('GET', `/networks/${name}`)).json();
      const isMember = Object.values((network as { Containers: Record<string, { Name: string }> }).Containers);
      expect(isMember.map(({ Name }) => Name)).toEqual(shown.includes(name) ? ['member'] : []);
    }
    // Default route and published port are at one of its networks, which the books name as well.
    const first = [...shown].sort()[0] as string;
    const { Gateway } = (await engine.inspect('member')).NetworkSettings.Networks[first];
    const { Pid } = (await engine.inspect('member')).State;
    const route = await host.ok('nsenter', `--net=/proc/${Pid}/ns/net`, 'ip', 'route', 'show', 'default');
    expect(route).toContain(`via ${Gateway} `);
    expect(await answerOf(host, 'http://127.0.0.1:8600/')).toBe('here\n');
    // The host has the bridges of these networks and no more.
    const bridges = (await host.ok('ip', '-br', 'link', 'show', 'type', 'bridge')).trim().split('\n');
    expect(bridges).toHaveLength((await networkNames()).length - 2);
    expect(bridgesOf(engine.identity)).toEqual([]);

    // Everything can be done again.
    await engine.request('POST', '/networks/create', { Name: 'before', EnableIPv6: true });
    await engine.request('POST', '/networks/before/disconnect', { Container: 'member' });
    expect((await engine.request('POST', '/networks/before/connect', { Container: 'member' })).status).toBe(200);
    expect(await interfaces('member')).toHaveLength(2);
  });
});
