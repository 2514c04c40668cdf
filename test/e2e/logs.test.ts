/** Logs as both clients see them, on disk as others read them, and through rotation. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
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
    const script = 'echo one; echo two >&2; until [ -e /go ]; do usleep 1000; done; echo three';
    await engine.ok('run', '-d', '--name', name('plain'), 'busybox', 'sh', '-c', script);
    // The streams are two pipes: what comes after it is written when the other's line is in the log.
    await until('the first lines', async () => {
      const { stdout, stderr } = await cli('logs', name('plain'));
      return stdout === 'one\n' && stderr === 'two\n';
    });
    await engine.touch(name('plain'), '/go');
    await engine.ok('wait', name('plain'));
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
    await engine.touch(name('live'), '/stop');
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
    for (const driver of ['syslog', 'journald', 'gelf', 'fluentd', 'awslogs', 'splunk', 'gcplogs', 'etwlogs'])
      expect((await cli('run', '--log-driver', driver, 'busybox')).stderr).toContain(
        `log driver ${driver} is not supported by Berth yet: use json-file, local or none`,
      );
    expect((await cli('run', '--log-driver', 'local', '--log-opt', 'tag=x', 'busybox')).stderr).toContain(
      "unknown log opt 'tag' for log driver local",
    );
    expect((await cli('logs', 'nobody')).stderr).toMatch(/No such container: nobody/);
  });
});

describe.each(['berth', 'docker'] as const)('%s', (client) => {
  test('--since and --until take every form of a time', async () => {
    const name = `times-${client}`;
    await ran(name, 'echo one; usleep 50000; echo two; usleep 50000; echo three');
    const logs = async (...args: string[]) => (await engine[client]('logs', ...args, name)).stdout.replace(/\n/g, ' ');
    const stamps = (await engine.ok('logs', '-t', name)).split('\n').map((line) => line.split(' ')[0] as string);
    const nanoseconds =
      BigInt(Date.parse(stamps[1] as string)) * 1_000_000n + BigInt((stamps[1] as string).slice(23, 29));
    const unix = `${nanoseconds / 1_000_000_000n}.${String(nanoseconds % 1_000_000_000n).padStart(9, '0')}`;
    expect(await logs('--since', stamps[1] as string)).toBe('two three ');
    expect(await logs('--since', unix)).toBe('two three ');
    expect(
      await logs('--since', `${unix.slice(0, -9)}${String((nanoseconds % 1_000_000_000n) + 1n).padStart(9, '0')}`),
    ).toBe('three ');
    expect(await logs('--until', unix)).toBe('one two ');
    expect(await logs('--since', unix, '--until', unix)).toBe('two ');
    const day = (stamps[0] as string).slice(0, 10);
    for (const early of [
      day,
      `${day}T00:00`,
      `${day}T00:00:00`,
      `${day}Z`,
      `${day}T00:00:00+14:00`,
      '24h',
      '1h30m',
      '0',
    ])
      expect(await logs('--since', early)).toBe('one two three ');
    expect(await logs('--until', '2001-02-03T04:05:06Z')).toBe('');
    expect(await logs('--since', unix, '--tail', '1')).toBe('three ');
    expect((await engine[client]('logs', '--since', 'nonsense', name)).code).not.toBe(0);
  });

  test('the local driver keeps what it is given, in files of its own kind for nobody else to read', async () => {
    await ran(`local-${client}`, 'seq -w 100000 105000', '--log-driver', 'local', '--log-opt', 'max-size=100k');
    expect((await engine.inspect(`local-${client}`)).LogPath).toBe('');
    const { stdout } = await engine[client]('logs', '--tail', '2', `local-${client}`);
    expect(stdout).toBe('104999\n105000\n');
    expect((await engine[client]('logs', `local-${client}`)).stdout.split('\n').length).toBe(5002);
  });
});

test('a container that must not wait for its log writes all of it where the disk is fast enough', async () => {
  await ran('queued', 'seq 1 20000', '--log-opt', 'mode=non-blocking', '--log-opt', 'max-buffer-size=16m');
  expect((await engine.ok('logs', 'queued')).split('\n').length).toBe(20_000);
});

test('--clear forgets what was written, of a container that runs, or does not', async () => {
  for (const mode of ['blocking', 'non-blocking']) {
    const name = `cleared-${mode}`;
    const script = 'seq 1 3000; until [ -e /go ]; do usleep 10000; done; echo after';
    const options = ['--log-opt', `mode=${mode}`, '--log-opt', 'max-size=100k', '--log-opt', 'max-file=3'];
    await engine.ok('run', '-d', '--name', name, ...options, 'busybox', 'sh', '-c', script);
    await until('the numbers', async () => (await engine.ok('logs', '-n', '1', name)) === '3000');
    await engine.ok('logs', '--clear', name);
    await until('an empty log', async () => (await engine.ok('logs', name)) === '');
    await engine.touch(name, '/go');
    await engine.ok('wait', name);
    expect(await engine.ok('logs', name)).toBe('after');
    await engine.ok('logs', '--clear', name);
    expect(await engine.ok('logs', name)).toBe('');
    await engine.ok('start', name);
    await engine.ok('wait', name);
    expect((await engine.ok('logs', name)).split('\n').length).toBe(3001);
  }
  await ran('unkept', 'echo hi', '--log-driver', 'none');
  expect((await engine.berth('logs', '--clear', 'unkept')).stderr).toContain('does not support reading');
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
  // From here on nothing is rotated away before they have it.
  const followers = `${await logPath('flood')}.followers`;
  await until('both followers', () => existsSync(followers) && readdirSync(followers).length === 2);
  await engine.touch('flood', '/go');
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
