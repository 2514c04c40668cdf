/** A container from its creation to its removal. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { until } from '../support/until.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startEngine({ images: ['busybox'] });
});
afterAll(() => engine.cleanUp());

describe.each(['berth', 'docker'] as const)('%s', (client) => {
  const cli = (...args: string[]) => engine[client](...args);
  const ok = async (...args: string[]): Promise<string> => {
    const result = await cli(...args);
    expect({ args, ...result }).toMatchObject({ code: 0 });
    return result.stdout.trimEnd();
  };
  const refused = async (...args: string[]): Promise<string> => {
    const result = await cli(...args);
    expect(result.code).not.toBe(0);
    return result.stderr;
  };
  const name = (what: string): string => `${what}-${client}`;

  test('create, start, stop, start again, remove', async () => {
    const id = await ok(
      'create',
      '--name',
      name('life'),
      'busybox',
      'sh',
      '-c',
      'trap "exit 7" TERM; echo ready; while :; do sleep 0.05; done',
    );
    expect((await engine.inspect(id)).State.Status).toBe('created');
    await ok('start', name('life'));
    await until('the trap to be set', async () => (await cli('logs', name('life'))).stdout === 'ready\n');
    await ok('stop', name('life'));
    expect((await engine.inspect(id)).State).toMatchObject({ Status: 'exited', ExitCode: 7, Running: false });
    await ok('start', name('life'));
    expect(await refused('rm', name('life'))).toContain('container is running');
    await ok('kill', name('life'));
    expect(await ok('wait', name('life'))).toBe('137');
    await ok('rm', name('life'));
    expect(await refused('inspect', name('life'))).toMatch(/No such (object|container)/i);
  });

  test('names: generated, unique, changed', async () => {
    const id = await ok('create', 'busybox');
    expect((await engine.inspect(id)).Name).toMatch(/^\/[a-z]+_[a-z]+\d*$/);
    await ok('rename', id, name('first'));
    expect(await refused('create', '--name', name('first'), 'busybox')).toContain(
      `Conflict. The container name "/${name('first')}" is already in use by container "${id}". You have to remove (or rename) that container to be able to reuse that name.`,
    );
    await ok('rm', name('first'));
    await ok('create', '--name', name('first'), 'busybox');
    await ok('rm', name('first'));
    expect(await refused('create', '--name', '-bad-', 'busybox')).toContain('Invalid container name');
  });

  test('pause holds it still, unpause lets it go on', async () => {
    await ok('run', '-d', '--name', name('paused'), 'busybox', 'sleep', '1000');
    await ok('pause', name('paused'));
    expect((await engine.inspect(name('paused'))).State).toMatchObject({
      Status: 'paused',
      Paused: true,
      Running: true,
    });
    expect(await refused('exec', name('paused'), 'true')).toContain('is paused, unpause the container before exec');
    expect(await ok('ps', '--filter', `name=${name('paused')}`, '--format', '{{.Status}}')).toContain('(Paused)');
    await ok('unpause', name('paused'));
    expect(await ok('exec', name('paused'), 'echo', 'moving')).toBe('moving');
    await ok('rm', '-f', name('paused'));
  });

  test('restart policies: on-failure counts, always survives the end of the process', async () => {
    await ok('run', '-d', '--name', name('failing'), '--restart', 'on-failure:2', 'busybox', 'sh', '-c', 'exit 4');
    await until('two restarts', async () => {
      const { State, RestartCount } = await engine.inspect(name('failing'));
      return RestartCount === 2 && State.Status === 'exited' && State.ExitCode === 4;
    });
    await ok('run', '-d', '--name', name('always'), '--restart', 'always', 'busybox', 'sleep', '1000');
    const { State } = await engine.inspect(name('always'));
    process.kill(State.Pid, 'SIGKILL');
    await until('a new process', async () => {
      const now = (await engine.inspect(name('always'))).State;
      return now.Running && now.Pid !== State.Pid;
    });
    await ok('stop', '-t', '0', name('always'));
    expect((await engine.inspect(name('always'))).State.Status).toBe('exited');
    await ok('rm', name('failing'), name('always'));
    expect(await refused('create', '--restart', 'sometimes', 'busybox')).toContain('sometimes');
  });

  test('exec: output, exit code, user, environment, input', async () => {
    await ok('run', '-d', '--name', name('exec'), 'busybox', 'sleep', '1000');
    expect(await cli('exec', name('exec'), 'sh', '-c', 'echo out; echo err >&2; exit 5')).toEqual({
      code: 5,
      stdout: 'out\n',
      stderr: 'err\n',
    });
    expect(
      await ok('exec', '-u', 'daemon', '-e', 'A=b', '-w', '/tmp', name('exec'), 'sh', '-c', 'id -un; echo $A; pwd'),
    ).toBe('daemon\nb\n/tmp');
    expect((await cli('exec', name('exec'), 'nosuchprogram')).code).toBe(127);
    expect((await cli('exec', name('exec'), '/etc/passwd')).code).toBe(126);
    const withInput = client === 'berth' ? engine.berthWith.bind(engine) : engine.dockerWith.bind(engine);
    expect((await withInput({ stdin: 'one\ntwo\n' }, 'exec', '-i', name('exec'), 'wc', '-l')).stdout.trim()).toBe('2');
    await ok('exec', '-d', name('exec'), 'touch', '/tmp/detached');
    await until('the detached exec', async () => (await cli('exec', name('exec'), 'ls', '/tmp/detached')).code === 0);
    expect(await ok('exec', '-t', name('exec'), 'tty')).toContain('/dev/pts/');
    await ok('rm', '-f', name('exec'));
  });

  test('top, port, ps, inspect tell what is', async () => {
    await ok(
      'run',
      '-d',
      '--name',
      name('seen'),
      '-l',
      `who=${client}`,
      '-p',
      '127.0.0.1::80',
      'busybox',
      'sleep',
      '1000',
    );
    expect(await ok('top', name('seen'))).toContain('sleep 1000');
    expect(await ok('port', name('seen'), '80')).toMatch(/^127\.0\.0\.1:\d+$/);
    expect(await ok('ps', '--filter', `label=who=${client}`, '--format', '{{.Names}} {{.Image}} {{.Command}}')).toBe(
      `${name('seen')} busybox "sleep 1000"`,
    );
    expect(await ok('inspect', '--format', '{{.State.Status}} {{json .Config.Cmd}}', name('seen'))).toBe(
      'running ["sleep","1000"]',
    );
    expect(await ok('ps', '-aq', '--filter', 'name=seen', '--no-trunc')).toContain(
      (await engine.inspect(name('seen'))).Id,
    );
    await ok('rm', '-f', name('seen'));
  });

  test('wait tells the exit code of a running container', async () => {
    await ok('run', '-d', '--name', name('waited'), 'busybox', 'sh', '-c', 'read x; exit 9');
    await ok('rm', '-f', name('waited'));
    await ok('run', '-di', '--name', name('waited'), 'busybox', 'sh', '-c', 'read x; exit 9');
    const waiting = engine.spawn(client, 'wait', name('waited'));
    const attached = engine.spawn(client, 'attach', name('waited'));
    await until('the answer', () => {
      attached.write('\n');
      return waiting.stdout.trim() === '9';
    });
    await ok('rm', name('waited'));
  });

  test('what does not exist is named', async () => {
    for (const verb of ['start', 'stop', 'kill', 'rm', 'logs', 'top', 'pause', 'wait', 'port', 'attach']) {
      expect(await refused(verb, 'nosuch')).toMatch(/No such container: nosuch/i);
    }
  });
});

describe('kill -9 of the engine', () => {
  test('loses neither a running container nor an exit code', async () => {
    await engine.ok(
      'run',
      '-d',
      '--name',
      'survivor',
      '-p',
      '127.0.0.1::80',
      'busybox',
      'sh',
      '-c',
      'i=0; while :; do echo $((i++)); sleep 0.02; done',
    );
    await engine.ok(
      'run',
      '-d',
      '--name',
      'leaver',
      'busybox',
      'sh',
      '-c',
      'until [ -e /leave ]; do sleep 0.02; done; exit 42',
    );
    const before = await engine.inspect('survivor');
    const leaver = await engine.inspect('leaver');
    await engine.kill9();
    // The container ends while nobody watches.
    await Bun.write(`/proc/${leaver.State.Pid}/root/leave`, '');
    await until('the process to end', async () => !(await Bun.file(`/proc/${leaver.State.Pid}/stat`).exists()));
    await engine.start();
    const after = await engine.inspect('survivor');
    expect(after.State).toMatchObject({ Status: 'running', Pid: before.State.Pid, StartedAt: before.State.StartedAt });
    expect(after.NetworkSettings.Ports).toEqual(before.NetworkSettings.Ports);
    expect(await engine.ok('exec', 'survivor', 'echo', 'alive')).toBe('alive');
    expect((await engine.inspect('leaver')).State).toMatchObject({ Status: 'exited', ExitCode: 42 });
    const lines = await until('lines from before and after', async () => {
      const seen = (await engine.ok('logs', 'survivor')).split('\n').map(Number);
      return seen.length > 10 ? seen : null;
    });
    // Every line from the first on, through the death and the time without an engine.
    expect(lines).toEqual(lines.map((_, index) => index));
    expect(lines.length).toBeGreaterThan(10);
    await engine.ok('rm', '-f', 'survivor', 'leaver');
  });
});
