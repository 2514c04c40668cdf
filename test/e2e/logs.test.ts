/** Logs as both clients see them, on disk as others read them, and through rotation. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { runOk } from '../support/command.ts';
import { program, startEngine, type TestEngine } from '../support/engine.ts';
import { until } from '../support/until.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startEngine({ images: ['busybox'] });
});
afterAll(() => engine.cleanUp());

/** Runs a container to its end in the background and waits for that. */
async function ran(name: string, script: string, ...options: string[]): Promise<void> {
  await engine.ok('run', '-d', '--name', name, ...options, 'busybox', 'sh', '-c', script);
  await engine.ok('wait', name);
}

async function logPath(name: string): Promise<string> {
  return (await engine.inspect(name)).LogPath;
}

describe.each(['berth', 'docker'] as const)('%s', (client) => {
  const cli = async (...args: string[]) => await engine[client](...args);
  const name = (what: string): string => `${what}-${client}`;

  test('logs gives each stream on its own, the end, times and a range of them', async () => {
    await ran(name('plain'), 'echo one; echo two >&2; usleep 20000; echo three');
    expect(await cli('logs', name('plain'))).toEqual({ code: 0, stdout: 'one\nthree\n', stderr: 'two\n' });
    expect((await cli('logs', '--tail', '1', name('plain'))).stdout).toBe('three\n');
    expect((await cli('logs', '-n', '0', name('plain'))).stdout).toBe('');
    const stamped = (await cli('logs', '-t', name('plain'))).stdout.trim().split('\n');
    expect(stamped).toEqual([
      expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z one$/),
      expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z three$/),
    ]);
    const last = stamped[1]?.split(' ')[0] as string;
    expect((await cli('logs', '--since', last, name('plain'))).stdout).toBe('three\n');
    const first = stamped[0]?.split(' ')[0] as string;
    expect((await cli('logs', '--until', first, name('plain'))).stdout).toBe('one\n');
    expect((await cli('logs', '--since', '1h', name('plain'))).stdout).toBe('one\nthree\n');
  });

  test('-f gives what comes until the container ends, and ends at once for one that has ended', async () => {
    await engine.ok(
      'run',
      '-d',
      '--name',
      name('live'),
      'busybox',
      'sh',
      '-c',
      'i=0; until [ -e /stop ]; do echo $i; i=$((i+1)); usleep 10000; done; echo end',
    );
    const follower = engine.spawn(client, 'logs', '-f', name('live'));
    await follower.output(/^5$/m);
    await engine.ok('exec', name('live'), 'touch', '/stop');
    const result = await follower.exit();
    expect(result.code).toBe(0);
    expect(result.stdout).toEndWith('\nend\n');
    expect((await cli('logs', '-f', '--tail', '1', name('live'))).stdout).toBe('end\n');
  });

  test('-f --tail begins in the middle; a follower that leaves takes its reader along', async () => {
    await engine.ok('run', '-d', '--name', name('leave'), 'busybox', 'sh', '-c', 'seq 1000; echo ready; sleep 1000');
    await until('the output', async () => (await cli('logs', '--tail', '1', name('leave'))).stdout === 'ready\n');
    const follower = engine.spawn(client, 'logs', '-f', '--tail', '2', name('leave'));
    await follower.output(/ready/);
    expect(follower.stdout).toBe('1000\nready\n');
    follower.signal('SIGINT');
    await follower.exit();
    const path = await logPath(name('leave'));
    await until('the reader to end', async () => !(await runOk(['ps', '-eo', 'args'])).includes(`read-log ${path}`));
    await engine.ok('rm', '-f', name('leave'));
  });

  test('a terminal is one raw stream', async () => {
    await ran(name('tty'), 'echo out; echo err >&2', '-t');
    expect(await cli('logs', name('tty'))).toEqual({ code: 0, stdout: 'out\r\nerr\r\n', stderr: '' });
  });

  test('--details shows labels and variables that were asked for, and the tag', async () => {
    const options = [
      '--label',
      'a b=c&d',
      '-e',
      'KEY=value',
      '--log-opt',
      'labels=a b',
      '--log-opt',
      'env=KEY',
      '--log-opt',
      'tag={{.Name}}',
    ];
    await ran(name('details'), 'echo hi', ...options);
    expect((await cli('logs', '--details', name('details'))).stdout).toBe(
      `KEY=value,a+b=c%26d,tag=${name('details')} hi\n`,
    );
  });

  test('no log, an unknown driver, an unknown option', async () => {
    await ran(name('none'), 'echo hi', '--log-driver', 'none');
    expect((await cli('logs', name('none'))).stderr).toContain('configured logging driver does not support reading');
    expect((await cli('run', '--log-driver', 'nowhere', 'busybox')).stderr).toContain('plugin "nowhere" not found');
    expect((await cli('run', '--log-opt', 'max-sizes=1m', 'busybox')).stderr).toContain(
      "unknown log opt 'max-sizes' for json-file log driver",
    );
    const refused = await cli('run', '--log-opt', 'max-size=x', 'busybox', 'true');
    expect(refused).toMatchObject({ code: 125 });
    expect((await cli('logs', 'nobody')).stderr).toMatch(/No such container: nobody/);
  });
});

test("the file is Docker's json-file, at LogPath, also for bytes that are no text", async () => {
  await ran('file', 'printf \'tab\\t"quoted" <&> \\377 end\\n\'; printf unfinished');
  const lines = readFileSync(await logPath('file'), 'utf8')
    .trimEnd()
    .split('\n');
  expect(lines).toHaveLength(2);
  expect(lines[0]).toMatch(
    /^\{"log":"tab\\u0009\\"quoted\\" \\u003c\\u0026\\u003e \\ufffd end\\n","stream":"stdout","time":"[^"]+Z"\}$/,
  );
  expect(JSON.parse(lines[1] as string)).toMatchObject({ log: 'unfinished', stream: 'stdout' });
  expect((await engine.berth('logs', 'file')).stdout).toBe('tab\t"quoted" <&> \ufffd end\nunfinished');
});

test('a log is rotated by size, and read over all its files', async () => {
  await ran('rotated', 'seq -w 100000 105000', '--log-opt', 'max-size=100k', '--log-opt', 'max-file=3');
  const path = await logPath('rotated');
  const files = readdirSync(dirname(path)).filter((name) => /-json\.log(\.\d+)?$/.test(name));
  expect(files).toHaveLength(3);
  const output = (await engine.ok('logs', 'rotated')).split('\n');
  expect(output.at(-1)).toBe('105000');
  const first = Number(output[0]);
  expect(first).toBeGreaterThan(100000);
  expect(output).toEqual(output.map((_, index) => String(first + index)));
  expect((await engine.ok('logs', '--tail', '1500', 'rotated')).split('\n')).toEqual(output.slice(-1500));
});

test('followers lose nothing through rotation, the slow one neither, and the container waits for none', async () => {
  const script = 'until [ -e /go ]; do usleep 10000; done; seq 1000000 1400000';
  await engine.ok(
    'run',
    '-d',
    '--name',
    'flood',
    '--log-opt',
    'max-size=1m',
    '--log-opt',
    'max-file=2',
    'busybox',
    'sh',
    '-c',
    script,
  );
  const wanted = (await runOk(['sh', '-c', 'seq 1000000 1400000 | sha256sum'])).trim();
  const follow = `${program().join(' ')} logs -f flood`;
  const environment = { env: engine.clientEnvironment, timeout: 90_000 };
  const quick = runOk(['sh', '-c', `${follow} | sha256sum`], environment);
  // Reads nothing until it is told to, by which time everything was rotated away long ago.
  const slow = runOk(['sh', '-c', `${follow} | { until [ -e go ]; do sleep 0.05; done; sha256sum; }`], {
    ...environment,
    cwd: dirname(engine.failpoints.path),
  });
  await until(
    'both followers',
    async () =>
      (await runOk(['ps', '-eo', 'args']))
        .split('\n')
        .filter((line) => line.includes('read-log') && line.includes('--follow')).length >= 2,
  );
  await engine.ok('exec', 'flood', 'touch', '/go');
  expect(await engine.ok('wait', 'flood')).toBe('0');
  await Bun.write(`${dirname(engine.failpoints.path)}/go`, '');
  expect((await quick).trim()).toBe(wanted);
  expect((await slow).trim()).toBe(wanted);
});

test('compressed files are read too', async () => {
  await ran(
    'packed',
    'seq 20000',
    '--log-opt',
    'max-size=300k',
    '--log-opt',
    'max-file=20',
    '--log-opt',
    'compress=true',
  );
  expect(await engine.ok('logs', 'packed')).toBe(await runOk(['seq', '20000']));
  expect(await engine.ok('logs', '--tail', '15000', 'packed')).toBe(await runOk(['seq', '5001', '20000']));
});

test('a restarted container goes on in the same log', async () => {
  await ran('again', 'echo hello');
  await engine.ok('start', 'again');
  await engine.ok('wait', 'again');
  expect(await engine.ok('logs', 'again')).toBe('hello\nhello');
});
