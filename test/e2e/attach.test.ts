/** attach: several clients, input, detach keys, signals, what was said before. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { until } from '../support/until.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startEngine({ images: ['busybox'] });
});
afterAll(() => engine.cleanUp());

describe.each(['berth', 'docker'] as const)('%s', (client) => {
  const name = (what: string): string => `${what}-${client}`;

  test('several clients get the same output, to its end, and the exit code', async () => {
    await engine.ok(
      'create',
      '--name',
      name('many'),
      '-i',
      'busybox',
      'sh',
      '-c',
      'read x; seq 20000; echo err >&2; exit 5',
    );
    await engine.ok('start', name('many'));
    const watchers = [1, 2, 3].map(() => engine.spawn(client, 'attach', '--no-stdin', name('many')));
    const writer = engine.spawn(client, 'attach', name('many'));
    await until('four clients', async () => (await events(name('many'), 'attach')) === 4);
    writer.write('go\n');
    const wanted = Array.from({ length: 20000 }, (_, index) => `${index + 1}\n`).join('');
    for (const running of [...watchers, writer]) {
      expect(await running.exit()).toEqual({ code: 5, stdout: wanted, stderr: 'err\n' });
    }
  });

  test('the end of input reaches the process, and its answer comes back', async () => {
    const result = await engine[`${client}With`](
      { stdin: 'a\nb\nc' },
      'run',
      '--rm',
      '-i',
      'busybox',
      'sh',
      '-c',
      'wc -c; echo done',
    );
    expect(result).toEqual({ code: 0, stdout: '5\ndone\n', stderr: '' });
  });

  test('megabytes go in and out', async () => {
    const text = 'x'.repeat(99).concat('\n').repeat(50_000);
    const result = await engine[`${client}With`]({ stdin: text }, 'run', '--rm', '-i', 'busybox', 'cat');
    expect(result.stdout === text).toBe(true);
  });

  test("a signal to the client is the container's", async () => {
    const running = engine.spawn(
      client,
      'run',
      '--rm',
      '--name',
      name('signal'),
      'busybox',
      'sh',
      '-c',
      'trap "echo caught; exit 3" TERM; echo ready; while :; do usleep 10000; done',
    );
    await running.output(/ready/);
    running.signal('SIGTERM');
    expect(await running.exit()).toMatchObject({ code: 3, stdout: 'ready\ncaught\n' });
  });

  test('a client that is killed takes nothing along', async () => {
    const running = engine.spawn(
      client,
      'run',
      '--name',
      name('abandoned'),
      'busybox',
      'sh',
      '-c',
      'echo ready; until [ -e /go ]; do usleep 10000; done; seq 100000; echo end',
    );
    await running.output(/ready/);
    await running.kill();
    await engine.touch(name('abandoned'), '/go');
    expect(await engine.ok('wait', name('abandoned'))).toBe('0');
    expect(await engine.ok('logs', '--tail', '1', name('abandoned'))).toBe('end');
  });

  test('attach to one that does not run is refused', async () => {
    await engine.ok('create', '--name', name('idle'), 'busybox');
    const result = await engine[client]('attach', name('idle'));
    expect(result.code).not.toBe(0);
    expect(result.stderr).toMatch(/You cannot attach to a stopped container, start it first/);
  });
});

test('start -a gives the output and the exit code', async () => {
  await engine.ok('create', '--name', 'started', 'busybox', 'sh', '-c', 'echo hi; exit 4');
  expect(await engine.berth('start', '-a', 'started')).toEqual({ code: 4, stdout: 'hi\n', stderr: '' });
});

test('past output and live output join without a gap or a repetition', async () => {
  await engine.ok(
    'run',
    '-d',
    '--name',
    'joined',
    'busybox',
    'sh',
    '-c',
    'i=0; while [ $i -lt 3000 ]; do echo $i; i=$((i+1)); done; sleep 1000',
  );
  await until('the output', async () => (await engine.ok('logs', '--tail', '1', 'joined')) === '2999');
  const response = await engine.request('POST', '/containers/joined/attach?logs=1&stdout=1');
  const bytes = new Uint8Array(await response.arrayBuffer());
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const length = new DataView(bytes.buffer).getUint32(at + 4);
    text += new TextDecoder().decode(bytes.subarray(at + 8, at + 8 + length));
    at += 8 + length;
  }
  expect(text).toBe(Array.from({ length: 3000 }, (_, index) => `${index}\n`).join(''));
});

async function events(container: string, action: string): Promise<number> {
  const now = Math.ceil(Date.now() / 1000);
  const filters = encodeURIComponent(JSON.stringify({ container: [container], event: [action] }));
  const response = await engine.request('GET', `/events?since=0&until=${now}&filters=${filters}`);
  return (await response.text()).split('\n').filter(Boolean).length;
}
