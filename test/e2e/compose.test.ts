/** An unmodified docker compose runs a project of six services. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CommandResult, RunningCommand, run } from '../support/command.ts';
import { composePlugin } from '../support/docker-client.ts';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { answerOf, inNetworkOf } from '../support/machine.ts';

const project = join(import.meta.dir, 'compose/compose.yaml');
let engine: TestEngine;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'berth-compose-'));
  engine = await startEngine({ images: ['busybox'] });
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await engine.cleanUp();
});

function command(...args: string[]): string[] {
  return [composePlugin(), '--progress', 'plain', '-f', project, ...args];
}

async function tryCompose(...args: string[]): Promise<CommandResult> {
  return await run(command(...args), { env: engine.clientEnvironment });
}

/** Anything but exit code 0 throws. */
async function compose(...args: string[]): Promise<string> {
  const result = await tryCompose(...args);
  if (result.code !== 0) throw new Error(`compose ${args.join(' ')}: ${result.code}\n${result.stderr}${result.stdout}`);
  return result.stdout.trim();
}

function lines(text: string): string[] {
  return text.split('\n').filter(Boolean).sort();
}

test('a project of six services', async () => {
  const events = new RunningCommand(command('events', '--json'), { env: engine.clientEnvironment });
  try {
    await up();
    await lookInside();
    await scale();
    await stopAndStart();
    await down();
    // `compose events` prints what belongs to the project only.
    await events.output(/"action":"health_status"|"action":"health_status: healthy"/);
    for (const action of ['create', 'start', 'die', 'destroy']) await events.output(new RegExp(`"action":"${action}"`));
  } finally {
    await events.kill();
    await tryCompose('down', '-v', '--timeout', '0');
  }
}, 300_000);

async function up(): Promise<void> {
  await compose('up', '-d', '--wait', '--wait-timeout', '60', 'database', 'cache', 'api', 'web', 'worker');
  expect(lines(await compose('ps', '--services'))).toEqual(['api', 'cache', 'database', 'web', 'worker']);
  expect(lines(await compose('ps', '-a', '--format', '{{.Service}} {{.State}} {{.Health}} {{.ExitCode}}'))).toEqual([
    'api running  0',
    'cache running  0',
    'database running healthy 0',
    'migrate exited  0',
    'web running  0',
    'worker running  0',
  ]);
  expect(await compose('logs', '--no-log-prefix', 'migrate')).toBe('row');
  const published = await compose('port', 'web', '80');
  expect(published).toMatch(/^127\.0\.0\.1:\d+$/);
  expect(await answerOf(null, `http://${published}/`)).toBe('<h1>shop</h1>\n');
  expect(lines(await compose('volumes', '--format', '{{.Name}}'))).toContain('shop_rows');
  expect(await compose('images')).toContain('busybox');
}

async function lookInside(): Promise<void> {
  const inside = (service: string, script: string) => compose('exec', '-T', service, 'sh', '-c', script);
  // By service name, by alias, by container name; only over a network that both are on.
  expect(await inside('api', 'wget -q -O- http://db.internal:5432/rows')).toBe('row');
  expect(await inside('api', 'wget -q -O- http://cache:6379/')).toBe('warm');
  expect(await inside('web', 'wget -q -O- http://shop-api-1:8000/')).toBe(await inside('api', 'hostname'));
  expect((await tryCompose('exec', '-T', 'web', 'nslookup', 'database')).code).not.toBe(0);
  expect(await inside('web', 'hostname; hostname -i; grep payments /etc/hosts')).toBe(
    'storefront\n10.97.31.80\n10.1.2.3\tpayments',
  );
  expect(await inside('web', 'cat /sys/class/net/eth0/mtu')).toBe('1400');
  expect(await inside('api', 'echo $COLOUR')).toBe('blue');
  expect(await inside('worker', 'cat /run/secrets/token /etc/settings; ulimit -n')).toBe('s3cret\nlevel=high\n256');
  expect((await tryCompose('exec', '-T', 'cache', 'touch', '/etc/x')).stderr).toContain('Read-only file system');
  // The inner network leads nowhere.
  expect((await tryCompose('exec', '-T', 'cache', 'ip', 'route', 'get', '192.0.2.1')).code).not.toBe(0);
  await compose('cp', 'web:/w/index.html', join(folder, 'page.html'));
  expect(readFileSync(join(folder, 'page.html'), 'utf8')).toBe('<h1>shop</h1>\n');
  await compose('cp', join(folder, 'page.html'), 'api:/w/page.html');
  expect(await inside('web', 'wget -q -O- http://api:8000/page.html')).toBe('<h1>shop</h1>');
  expect(await compose('top', 'web')).toMatch(/httpd -f -p 80/);
  expect(await compose('logs', '--tail', '1', 'worker')).toMatch(/^worker-1 +\| tick \d+$/);
  const follower = new RunningCommand(command('logs', '-f', 'worker'), { env: engine.clientEnvironment });
  try {
    await follower.output(/tick 1\n(.*\n)*.*tick 9\n/);
  } finally {
    await follower.kill();
  }
  expect(await compose('run', '--rm', '-T', '--no-deps', 'api', 'echo', 'one-off')).toBe('one-off');
  expect((await tryCompose('exec', '-T', 'api', 'sh', '-c', 'exit 7')).code).toBe(7);
}

async function scale(): Promise<void> {
  await compose('up', '-d', '--no-recreate', '--scale', 'api=3', 'api');
  expect(lines(await compose('ps', 'api', '--format', '{{.Name}}'))).toEqual([
    'shop-api-1',
    'shop-api-2',
    'shop-api-3',
  ]);
  const address = await compose(
    'exec',
    '-T',
    'web',
    'sh',
    '-c',
    'nslookup api 127.0.0.11 | grep -c "^Address.*10.97.31"',
  );
  expect(address).toBe('3');
  const web = await engine.inspect('shop-web-1');
  const third = await engine.inspect('shop-api-3');
  const reached = await answerOf(
    inNetworkOf(web.State.Pid),
    `http://${third.NetworkSettings.Networks.shop_front.IPAddress}:8000/`,
  );
  expect(reached).toBe(`${third.Config.Hostname}\n`);
  await compose('scale', 'api=1');
  expect(lines(await compose('ps', 'api', '--format', '{{.Name}}'))).toEqual(['shop-api-1']);
}

async function stopAndStart(): Promise<void> {
  await compose('pause', 'worker');
  expect(await compose('ps', 'worker', '--format', '{{.State}}')).toBe('paused');
  await compose('unpause', 'worker');
  await compose('stop', 'worker', 'web');
  expect(lines(await compose('ps', '-a', '--status', 'exited', '--format', '{{.Service}} {{.ExitCode}}'))).toContain(
    'worker 0',
  );
  expect(await compose('logs', '--no-log-prefix', '--tail', '1', 'worker')).toBe('bye');
  await compose('start', 'worker', 'web');
  await compose('restart', '-t', '0', 'cache');
  // The data outlives its container; a changed service alone is made again.
  const before = (await engine.inspect('shop-cache-1')).Id;
  await compose('up', '-d', '--wait', '--force-recreate', '--no-deps', 'database');
  expect(await compose('exec', '-T', 'database', 'cat', '/data/rows')).toBe('row\nrow');
  await run(command('up', '-d', '--no-deps', 'api', 'cache'), { env: { ...engine.clientEnvironment, COLOUR: 'red' } });
  expect(await compose('exec', '-T', 'api', 'sh', '-c', 'echo $COLOUR')).toBe('red');
  expect((await engine.inspect('shop-cache-1')).Id).toBe(before);
  await compose('kill', '-s', 'KILL', 'web');
  await compose('rm', '-f', 'web');
  expect(lines(await compose('ps', '-a', '--format', '{{.Service}}'))).not.toContain('web');
}

async function down(): Promise<void> {
  await compose('down', '-v');
  expect(await engine.ok('ps', '-aq')).toBe('');
  expect(lines(await engine.ok('network', 'ls', '--format', '{{.Name}}'))).toEqual(['bridge', 'host', 'none']);
  // As with Docker, an anonymous volume that compose has carried over to a new container stays.
  expect(lines(await engine.ok('volume', 'ls', '-q')).filter((name) => name.includes('_'))).toEqual([]);
}
