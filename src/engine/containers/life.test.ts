import { describe, expect, spyOn, test } from 'bun:test';
import { PassThrough, Readable } from 'node:stream';
import { BerthError } from '../../api/errors.ts';
import type { HostConfig } from '../../api/types/container.ts';
import { BerthDatabase } from '../../store/db/database.ts';
import { FakeEngine } from './fake-engine.ts';
import type { ContainerRecord } from './record.ts';
import { decodeRecord } from './record-codec.ts';

const never = new AbortController().signal;

async function failure(work: Promise<unknown>): Promise<BerthError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof BerthError) return error;
    throw error;
  }
  throw new Error('it did not fail');
}

describe('create', () => {
  test('gives an id, a name, and the short id as host name', async () => {
    const engine = new FakeEngine();
    const id = await engine.create();
    const inspect = engine.service.inspect(id);
    expect(id).toMatch(/^[0-9a-f]{64}$/);
    expect(inspect.Name).toMatch(/^\/[a-z]+_[a-z]+$/);
    expect(inspect.Config.Hostname).toBe(id.slice(0, 12));
    expect(inspect.State.Status).toBe('created');
    expect(engine.events).toEqual(['create']);
  });

  test('a name in use is refused as dockerd does', async () => {
    const engine = new FakeEngine();
    const id = await engine.create({}, {}, 'web');
    const error = await failure(engine.create({}, {}, '/web'));
    expect(error.kind).toBe('conflict');
    expect(error.message).toBe(
      `Conflict. The container name "/web" is already in use by container "${id}". You have to remove (or rename) that container to be able to reuse that name.`,
    );
  });

  test('an unknown image leaves nothing behind', async () => {
    const engine = new FakeEngine();
    const error = await failure(
      engine.create({ Image: 'nope' }, { Mounts: [{ Type: 'volume', Source: 'v', Target: '/v' }] }),
    );
    expect(error.message).toBe('No such image: nope:latest');
    expect(engine.service.list({ all: true, limit: 0, size: false, filters: new Map() })).toEqual([]);
    expect([...engine.volumes.names]).toEqual([]);
  });

  test('a later failure takes new volumes away again', async () => {
    const engine = new FakeEngine();
    engine.files.copyUp = () => Promise.reject(new BerthError('internal', 'no space left on device'));
    await failure(engine.create({}, { Binds: ['data:/v'] }));
    expect([...engine.volumes.names]).toEqual([]);
  });

  test('volumes of the image are made and filled', async () => {
    const engine = new FakeEngine({ image: { Volumes: { '/data': {} } } });
    const id = await engine.create();
    expect(engine.files.copied).toEqual(['/data']);
    const [mount] = engine.service.inspect(id).Mounts;
    expect(mount?.Type).toBe('volume');
    expect(mount?.Destination).toBe('/data');
  });
});

describe('start and exit', () => {
  test('the whole life of a container', async () => {
    const engine = new FakeEngine();
    const id = await engine.create({ Cmd: ['sleep', '9'] }, {}, 'web');
    await engine.service.start('web');
    expect(engine.state(id)).toBe('running');
    expect(engine.supervisor.started[0]?.cgroupPath).toBe(`/berth/${id}`);
    const { exit } = engine.service.wait(id, 'next-exit', never);
    await engine.exit(id, { code: 3 });
    expect(await exit).toEqual({ StatusCode: 3 });
    const { State } = engine.service.inspect(id);
    expect([State.Status, State.ExitCode, State.Running, State.Pid]).toEqual(['exited', 3, false, 0]);
    expect(engine.networks.held.size).toBe(0);
    expect(engine.supervisor.cleaned).toEqual([id]);
    await engine.service.remove('web', { force: false, removeVolumes: false, removeLink: false });
    expect(engine.events).toEqual(['create', 'start', 'die', 'destroy']);
    expect(engine.attributes[2]).toMatchObject({ exitCode: '3', image: 'busybox', name: 'web' });
    expect(engine.files.discarded).toEqual([id]);
  });

  test('an exit that overtakes the start is entered after it', async () => {
    const engine = new FakeEngine();
    const id = await engine.create({}, { AutoRemove: true });
    const { exit } = engine.service.wait(id, 'removed', never);
    const start = engine.supervisor.start.bind(engine.supervisor);
    engine.supervisor.start = async (spec) => {
      const started = await start(spec);
      engine.service.supervisorEvents.onExit(id, { code: 7, oomKilled: false, exitedAt: new Date() });
      return started;
    };
    await engine.service.start(id);
    expect(await exit).toEqual({ StatusCode: 7 });
    expect(engine.events).toEqual(['create', 'start', 'die', 'destroy']);
    expect((await failure(Promise.resolve().then(() => engine.service.inspect(id)))).kind).toBe('not-found');
  });

  test('a refused start gives everything back and says why', async () => {
    const engine = new FakeEngine();
    const id = await engine.create();
    engine.supervisor.refusal = new BerthError('invalid', 'exec: "x": executable file not found in $PATH', {
      code: 'command-not-found',
    });
    const error = await failure(engine.service.start(id));
    expect(error.message).toContain('executable file not found');
    const { State } = engine.service.inspect(id);
    expect([State.Status, State.ExitCode, State.Error]).toEqual(['created', 127, error.message]);
    expect(engine.networks.held.size).toBe(0);
    expect(engine.files.bundlesById.size).toBe(0);
    await engine.service.start(id);
    expect(engine.state(id)).toBe('running');
  });

  test('a --rm container whose start fails is gone', async () => {
    const engine = new FakeEngine();
    const id = await engine.create({}, { AutoRemove: true });
    engine.supervisor.refusal = new BerthError('internal', 'no');
    await failure(engine.service.start(id));
    expect(engine.files.discarded).toEqual([id]);
    expect(engine.events).toEqual(['create', 'destroy']);
  });

  test('a network that fails half way is released', async () => {
    const engine = new FakeEngine();
    const id = await engine.create();
    engine.networks.failure = new BerthError('internal', 'port is already allocated');
    await failure(engine.service.start(id));
    expect(engine.networks.held.size).toBe(0);
    expect(engine.supervisor.started).toEqual([]);
  });

  test('an unknown user is found out before anything runs', async () => {
    const engine = new FakeEngine();
    const id = await engine.create({ User: 'ghost' });
    const error = await failure(engine.service.start(id));
    expect(error.message).toBe('unable to find user ghost: no matching entries in passwd file');
    expect(engine.supervisor.started).toEqual([]);
  });

  test('start of a running one is not-modified', async () => {
    const engine = new FakeEngine();
    const id = await engine.run();
    expect((await failure(engine.service.start(id))).kind).toBe('not-modified');
  });
});

describe('stop, kill, pause', () => {
  test('stop sends the stop signal, then SIGKILL when it is in vain', async () => {
    const engine = new FakeEngine();
    const id = await engine.run({ StopSignal: 'SIGINT' });
    engine.supervisor.onSignal = (_, signal) => {
      if (signal === 9) void engine.exit(id, { code: 137 });
    };
    await engine.service.stop(id, { signal: '', timeout: 0 });
    expect(engine.supervisor.signals.map(({ signal }) => signal)).toEqual([2, 9]);
    expect(engine.events.filter((event) => event !== 'create')).toEqual(['start', 'kill', 'kill', 'die', 'stop']);
    expect((await failure(engine.service.stop(id, { signal: '', timeout: 0 }))).kind).toBe('not-modified');
  });

  test('a very long timeout is no short one', async () => {
    const engine = new FakeEngine();
    const id = await engine.run();
    const timers = spyOn(globalThis, 'setTimeout');
    const stop = engine.service.stop(id, { signal: '', timeout: 10_000_000 });
    await engine.idle(id);
    // A timer that is given more fires at once.
    expect(timers.mock.calls.filter(([, delay]) => (delay ?? 0) >= 2 ** 31)).toEqual([]);
    timers.mockRestore();
    await engine.exit(id);
    await stop;
  });

  test('kill without a signal waits for the end', async () => {
    const engine = new FakeEngine();
    const id = await engine.run();
    engine.supervisor.onSignal = () => void engine.exit(id, { code: 137 });
    await engine.service.kill(id, '');
    expect(engine.state(id)).toBe('exited');
    const error = await failure(engine.service.kill(id, 'TERM'));
    expect([error.kind, error.message]).toEqual(['conflict', `container ${id} is not running`]);
    expect((await failure(engine.service.kill(id, 'FOO'))).message).toBe('invalid signal: FOO');
    expect((await failure(engine.service.kill(id, '99'))).message).toBe('the linux daemon does not support signal 99');
  });

  test('pause and unpause', async () => {
    const engine = new FakeEngine();
    const id = await engine.run();
    await engine.service.pause(id);
    expect(engine.state(id)).toBe('paused');
    expect((await failure(engine.service.pause(id))).message).toBe(`Container ${id} is already paused`);
    const attach = { stdin: false, stdout: true, stderr: true, logs: false, stream: true };
    expect((await failure(engine.service.attach(id, attach))).kind).toBe('conflict');
    await engine.service.unpause(id);
    expect(engine.state(id)).toBe('running');
    expect((await failure(engine.service.unpause(id))).message).toBe(`Container ${id} is not paused`);
  });

  test('restart of a --rm container does not remove it in between', async () => {
    const engine = new FakeEngine();
    const id = await engine.run({}, { AutoRemove: true });
    engine.supervisor.onSignal = () => void engine.exit(id, { code: 0 });
    await engine.service.restart(id, { signal: '', timeout: 1 });
    expect(engine.state(id)).toBe('running');
    expect(engine.service.inspect(id).HostConfig.AutoRemove).toBe(true);
    await engine.exit(id);
    expect(engine.files.discarded).toEqual([id]);
  });
});

describe('restart policy', () => {
  test('an always container comes back, and a stop ends that', async () => {
    const engine = new FakeEngine();
    const id = await engine.run({}, { RestartPolicy: { Name: 'always', MaximumRetryCount: 0 } });
    const { exit } = engine.service.wait(id, 'next-exit', never);
    await engine.exit(id, { code: 1 });
    expect(await exit).toEqual({ StatusCode: 1 });
    const { State } = engine.service.inspect(id);
    expect([State.Status, State.Running, State.Restarting]).toEqual(['restarting', true, true]);
    expect(engine.service.inspect(id).RestartCount).toBe(1);
    await engine.service.stop(id, { signal: '', timeout: 0 });
    expect(engine.state(id)).toBe('exited');
    expect(engine.supervisor.started.length).toBe(1);
    await engine.service.close();
  });

  test('the wait passes and the container runs again', async () => {
    const engine = new FakeEngine();
    const id = await engine.run({}, { RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 1 } });
    const again = Promise.withResolvers<void>();
    const start = engine.supervisor.start.bind(engine.supervisor);
    engine.supervisor.start = (spec) => {
      again.resolve();
      return start(spec);
    };
    await engine.exit(id, { code: 2 });
    await again.promise;
    await engine.idle(id);
    expect(engine.state(id)).toBe('running');
    expect(engine.service.inspect(id).RestartCount).toBe(1);
    await engine.exit(id, { code: 2 });
    expect(engine.state(id)).toBe('exited');
    await engine.service.start(id);
    expect(engine.service.inspect(id).RestartCount).toBe(0);
  });
});

describe('remove', () => {
  const gentle = { force: false, removeVolumes: false, removeLink: false };

  test('a running one only by force', async () => {
    const engine = new FakeEngine();
    const id = await engine.run({}, {}, 'web');
    const error = await failure(engine.service.remove('web', gentle));
    expect(error.message).toBe(
      'cannot remove container "web": container is running: stop the container before removing or force remove',
    );
    engine.supervisor.onSignal = () => void engine.exit(id, { code: 137 });
    await engine.service.remove('web', { ...gentle, force: true });
    expect(engine.events).toEqual(['create', 'start', 'kill', 'die', 'destroy']);
    await engine.create({}, {}, 'web');
  });

  test('a second removal meets the first', async () => {
    const engine = new FakeEngine();
    const id = await engine.run();
    const first = engine.service.remove(id, { ...gentle, force: true });
    const error = await failure(engine.service.remove(id, { ...gentle, force: true }));
    expect(error.message).toBe(`removal of container ${id} is already in progress`);
    expect((await failure(engine.service.start(id))).message).toBe(
      'container is marked for removal and cannot be started',
    );
    await engine.exit(id, { code: 137 });
    await first;
  });

  test('what cannot be deleted is dead, and can be removed later', async () => {
    const engine = new FakeEngine();
    const id = await engine.create();
    const { exit } = engine.service.wait(id, 'removed', never);
    engine.files.discardFailure = new Error('EIO');
    await failure(engine.service.remove(id, gentle));
    expect(engine.state(id)).toBe('dead');
    expect((await exit).Error?.Message).toBe('EIO');
    engine.files.discardFailure = null;
    await engine.service.remove(id, gentle);
    expect(engine.events.at(-1)).toBe('destroy');
  });

  test('anonymous volumes go along where asked, named ones stay', async () => {
    const engine = new FakeEngine({ image: { Volumes: { '/a': {} } } });
    const id = await engine.create({}, { Binds: ['data:/d'] });
    await engine.service.remove(id, { ...gentle, removeVolumes: true });
    await engine.service.close();
    expect([...engine.volumes.names]).toEqual(['data']);
  });
});

describe('wait', () => {
  test('not-running of a created container is answered at once', async () => {
    const engine = new FakeEngine();
    const id = await engine.create();
    expect(await engine.service.wait(id, 'not-running', never).exit).toEqual({ StatusCode: 0 });
  });

  test('a client that leaves is forgotten', async () => {
    const engine = new FakeEngine();
    const id = await engine.run();
    const client = new AbortController();
    const { exit } = engine.service.wait(id, 'next-exit', client.signal);
    client.abort();
    expect((await failure(exit)).kind).toBe('cancelled');
  });
});

describe('attach before the start', () => {
  const options = { stdin: false, stdout: true, stderr: true, logs: false, stream: true };

  test('the start is told of it, and a failed start ends the stream', async () => {
    const engine = new FakeEngine();
    const id = await engine.create();
    const { stream } = await engine.service.attach(id, options);
    stream.resume();
    const ended = new Promise((resolve) => stream.once('end', resolve));
    engine.supervisor.refusal = new BerthError('internal', 'no');
    await failure(engine.service.start(id));
    await ended;
  });

  test('one that leaves during the start does not get another one’s stream mixed up', async () => {
    const engine = new FakeEngine();
    const id = await engine.create();
    const first = await engine.service.attach(id, { ...options, stderr: false });
    const second = await engine.service.attach(id, options);
    const streams = [new PassThrough(), new PassThrough()];
    const start = engine.supervisor.start.bind(engine.supervisor);
    engine.supervisor.start = async (spec) => {
      first.stream.destroy();
      await new Promise((resolve) => first.stream.once('close', resolve));
      return { ...(await start(spec)), attachments: streams };
    };
    await engine.service.start(id);
    streams[1]?.end('for the second');
    expect(await new Response(Readable.toWeb(second.stream) as ReadableStream).text()).toBe('for the second');
    expect(streams[0]?.destroyed).toBe(true);
  });

  test('one that left before the start is not waited for', async () => {
    const engine = new FakeEngine();
    const id = await engine.create();
    const { stream } = await engine.service.attach(id, options);
    const closed = new Promise((resolve) => stream.once('close', resolve));
    stream.destroy();
    await closed;
    await engine.service.start(id);
    expect(engine.supervisor.started[0]?.attachments).toEqual([]);
  });
});

describe('a new engine over the same books', () => {
  const stored = (engine: FakeEngine, id: string): ContainerRecord => {
    const row = engine.database.sql
      .query<{ record: string }, [string]>('SELECT record FROM containers WHERE id = ?')
      .get(id);
    return decodeRecord(row?.record ?? '{}');
  };

  async function reborn(before: FakeEngine, set: (engine: FakeEngine) => void): Promise<FakeEngine> {
    const after = new FakeEngine({ database: before.database });
    set(after);
    await after.service.adopt();
    await after.service.context.settled();
    return after;
  }

  test('adopts what runs', async () => {
    const before = new FakeEngine({ database: new BerthDatabase(':memory:') });
    const id = await before.run();
    const after = await reborn(before, (engine) => {
      engine.files.left.add(id);
      engine.supervisor.adoptions.set(id, { state: 'running', pid: 4242, startedAt: new Date() });
    });
    expect([after.state(id), after.service.inspect(id).State.Pid]).toEqual(['running', 4242]);
  });

  test('enters an exit that nobody saw', async () => {
    const before = new FakeEngine();
    const id = await before.run();
    const exitedAt = new Date('2026-02-03T04:05:06Z');
    const after = await reborn(before, (engine) => {
      engine.files.left.add(id);
      engine.supervisor.adoptions.set(id, { state: 'exited', status: { code: 5, oomKilled: false, exitedAt } });
    });
    expect(stored(after, id)).toMatchObject({ state: 'exited', exitCode: 5, finishedAt: '2026-02-03T04:05:06Z' });
    expect(after.supervisor.cleaned).toEqual([id]);
  });

  test('after a reboot always and unless-stopped start, a stopped one does not', async () => {
    const before = new FakeEngine();
    const policy = (Name: string) => ({ RestartPolicy: { Name, MaximumRetryCount: 0 } });
    const always = await before.run({}, policy('always'));
    const unless = await before.run({}, policy('unless-stopped'));
    const stopped = await before.run({}, policy('unless-stopped'));
    const plain = await before.run();
    before.supervisor.onSignal = () => void before.exit(stopped, { code: 0 });
    await before.service.stop(stopped, { signal: '', timeout: 1 });
    const after = await reborn(before, () => {});
    expect([always, unless, stopped, plain].map((id) => after.state(id))).toEqual([
      'running',
      'running',
      'exited',
      'exited',
    ]);
    expect(after.service.inspect(plain).State.ExitCode).toBe(255);
  });

  test('finishes removals and forgets --rm containers that ended', async () => {
    const before = new FakeEngine();
    const removing = await before.create();
    const container = before.service.context.index.find(removing);
    container.move('remove');
    before.service.context.index.save(container);
    const passing = await before.run({}, { AutoRemove: true });
    const after = await reborn(before, () => {});
    expect(after.files.discarded.sort()).toEqual([removing, passing].sort());
    expect(after.service.list({ all: true, limit: 0, size: false, filters: new Map() })).toEqual([]);
  });

  test('a removal by force that a crash cut short is finished, the process included', async () => {
    const before = new FakeEngine();
    const id = await before.run();
    const container = before.service.context.index.find(id);
    container.move('remove');
    before.service.context.index.save(container);
    const after = await reborn(before, (engine) => {
      engine.files.left.add(id);
      engine.supervisor.adoptions.set(id, { state: 'running', pid: 4242, startedAt: new Date() });
      engine.supervisor.onSignal = () => void engine.exit(id, { code: 137 });
    });
    expect(after.supervisor.signals).toEqual([{ id, signal: 9 }]);
    expect(after.files.discarded).toEqual([id]);
  });

  test('what ended with the machine comes back as its policy says, what somebody stopped does not', async () => {
    const before = new FakeEngine();
    const policy = { RestartPolicy: { Name: 'unless-stopped' as const, MaximumRetryCount: 0 } };
    const kept = await before.run({ StopTimeout: 0 }, policy, 'kept');
    const stopped = await before.run({}, policy, 'stopped');
    const plain = await before.run({}, {}, 'plain');
    before.supervisor.onSignal = (id, signal) => {
      // One that does not listen to its stop signal.
      if (id !== kept || signal === 9) void before.exit(id, { code: 128 + signal });
    };
    await before.service.stop(stopped, { signal: '', timeout: null });
    await before.service.halt();
    expect([kept, stopped, plain].map((id) => before.state(id))).toEqual(['exited', 'exited', 'exited']);
    await before.service.close();
    const after = await reborn(before, () => {});
    expect([kept, stopped, plain].map((id) => after.state(id))).toEqual(['running', 'exited', 'exited']);
    expect(after.service.context.index.find(plain).record.exitCode).toBe(143);
  });

  test('a container that waited for its restart keeps its exit code and is started', async () => {
    const before = new FakeEngine();
    const failing = await before.run({}, { RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 0 } });
    await before.exit(failing, { code: 9 });
    await before.service.close();
    const after = await reborn(before, () => {});
    expect(after.state(failing)).toBe('running');
    expect(after.events).not.toContain('die');
  });

  test('one that lives in another’s network is started after it', async () => {
    const before = new FakeEngine();
    const policy = { RestartPolicy: { Name: 'always', MaximumRetryCount: 0 } };
    const guest = await before.create({}, policy, 'guest');
    const host = await before.run({}, policy, 'host');
    const record = before.service.context.index.find(guest);
    record.record.hostConfig.NetworkMode = `container:${host}`;
    await before.service.start(guest);
    const after = await reborn(before, () => {});
    expect(after.supervisor.started.map((spec) => spec.id)).toEqual([host, guest]);
  });

  test('links, volumes and namespaces of others decide who is started first; a circle does not stop anybody', async () => {
    const before = new FakeEngine();
    const policy = { RestartPolicy: { Name: 'always', MaximumRetryCount: 0 } };
    const names = new Map<string, string>();
    for (const name of ['last', 'pid', 'volumes', 'first', 'one', 'other']) {
      names.set(await before.run({}, policy, name), name);
    }
    const change = (name: string, host: Partial<HostConfig>): void => {
      const container = before.service.context.index.find(name);
      Object.assign(container.record.hostConfig, host);
      before.service.context.index.save(container);
    };
    change('last', { Links: ['pid:p'] });
    change('pid', { PidMode: 'container:volumes' });
    change('volumes', { VolumesFrom: ['first:ro', 'gone'] });
    change('one', { Links: ['other'] });
    change('other', { VolumesFrom: ['one'] });
    const after = await reborn(before, () => {});
    const order = after.supervisor.started.map((spec) => names.get(spec.id));
    expect(order.filter((name) => !['one', 'other'].includes(name ?? ''))).toEqual(['first', 'volumes', 'pid', 'last']);
    expect(order.toSorted()).toEqual(['first', 'last', 'one', 'other', 'pid', 'volumes']);
  });

  test('ends and cleans what the books do not have', async () => {
    const after = await reborn(new FakeEngine(), (engine) => {
      engine.files.left.add('stranger');
      engine.supervisor.adoptions.set('stranger', { state: 'running', pid: 1, startedAt: new Date() });
    });
    expect(after.supervisor.signals).toEqual([{ id: 'stranger', signal: 9 }]);
    expect(after.supervisor.cleaned).toEqual(['stranger']);
  });
});
