/** The everyday lines about containers, typed into a shell, by both clients. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test';
import { startEngine, type TestEngine } from '../../support/engine.ts';
import { ownFolder } from '../../support/own-folder.ts';
import { until } from '../../support/until.ts';
import { clients, UserShell } from '../../support/user-shell.ts';

let engine: TestEngine;
const folder = ownFolder();

beforeAll(async () => {
  engine = await startEngine({ images: ['busybox'] });
});
afterEach(() => engine.removeContainers());
afterAll(() => engine.cleanUp());

describe.each(clients)('%s', (client) => {
  const shell = new UserShell(() => engine, client, folder);

  test('run X /bin/echo hehe', async () => {
    expect(await shell.type('$D run busybox /bin/echo hehe')).toBe('hehe');
  });

  test('run --name N -it X /bin/sh: the host name is the short id, exit stops it', async () => {
    const typed = `script -qec "$D run --name shell -it busybox /bin/sh" /dev/null`;
    expect(await shell.type(typed, 'hostname\nexit\n')).toContain((await shell.type('$D ps -aq')).slice(0, 12));
    expect((await engine.inspect('shell')).State.Status).toBe('exited');
  });

  test('run -d X /bin/sh -c "while true; do echo hello; sleep 1; done" prints the id', async () => {
    const id = await shell.type('$D run -d busybox /bin/sh -c "while true; do echo hello; sleep 1; done"');
    expect(id).toMatch(/^[0-9a-f]{64}$/);
    await until('its first line', async () => (await shell.type(`$D logs ${id}`)) !== '');
    expect(await shell.type(`$D logs ${id.slice(0, 12)}`)).toMatch(/^hello/);
  });

  test('run --rm leaves nothing', async () => {
    await shell.type('$D run --rm busybox true');
    expect(await shell.type('$D ps -aq')).toBe('');
  });

  test('run -it --restart=always, --restart=on-failure:5', async () => {
    await shell.type('$D run -itd --name always --restart=always busybox sleep 0.1');
    await shell.type('$D run -itd --name failing --restart=on-failure:2 busybox false');
    await until('two starts more', async () => (await engine.inspect('failing')).RestartCount === 2);
    await until('another start', async () => (await engine.inspect('always')).RestartCount > 0);
    expect((await engine.inspect('failing')).HostConfig.RestartPolicy).toEqual({
      Name: 'on-failure',
      MaximumRetryCount: 2,
    });
  });

  test('create, start, start -a', async () => {
    expect(await shell.type('$D create --name made busybox echo started')).toMatch(/^[0-9a-f]{64}$/);
    expect(await shell.type('$D start made')).toBe('made');
    expect(await shell.type('$D wait made')).toBe('0');
    expect(await shell.type('$D start -a made')).toBe('started');
  });

  test('ps, -a, -q, -aq, -l', async () => {
    await shell.type('$D run -d --name up busybox sleep 1000; $D run --name gone busybox true');
    expect((await shell.type('$D ps')).split('\n')).toHaveLength(2);
    expect(await shell.type('$D ps')).toMatch(/^CONTAINER ID +IMAGE +COMMAND +CREATED +STATUS +PORTS +NAMES\n/);
    expect((await shell.type('$D ps -a')).split('\n')).toHaveLength(3);
    expect(await shell.type('$D ps -q')).toMatch(/^[0-9a-f]{12}$/);
    expect((await shell.type('$D ps -aq')).split('\n')).toHaveLength(2);
    expect(await shell.type('$D ps -l')).toMatch(/\n.*Exited \(0\).* gone$/);
  });

  test('generated names like brave_fermi; ids by unique prefix', async () => {
    const id = await shell.type('$D run -d busybox sleep 1000');
    expect(await shell.type("$D ps --format '{{.Names}}'")).toMatch(/^[a-z]+_[a-z]+$/);
    expect(await shell.type(`$D inspect -f '{{.Id}}' ${id.slice(0, 6)}`)).toBe(id);
    expect(await shell.refusal('$D inspect 0123456789abcdef')).toMatch(/No such object: 0123456789abcdef/);
  });

  test('logs, -f, -t, --tail 10', async () => {
    await shell.type('$D run --name talker busybox seq 1 20');
    expect((await shell.type('$D logs talker')).split('\n')).toHaveLength(20);
    expect((await shell.type('$D logs --tail 10 talker')).split('\n')[0]).toBe('11');
    expect(await shell.type('$D logs -t --tail 1 talker')).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z 20$/);
    expect((await shell.type('$D logs -f talker')).split('\n')).toHaveLength(20);
  });

  test('stop, restart, kill, pause, unpause, rename, wait', async () => {
    await shell.type('$D run -d --name one --init busybox sleep 1000');
    const state = async (): Promise<string> => (await engine.inspect('one')).State.Status;
    expect(await shell.type('$D pause one')).toBe('one');
    expect(await state()).toBe('paused');
    expect(await shell.type('$D unpause one')).toBe('one');
    expect(await shell.type('$D stop one')).toBe('one');
    expect(await state()).toBe('exited');
    expect(await shell.type('$D restart one')).toBe('one');
    expect(await state()).toBe('running');
    expect(await shell.type('$D kill one')).toBe('one');
    expect(await shell.type('$D wait one')).toBe('137');
    await shell.type('$D rename one two');
    expect(await shell.type("$D ps -a --format '{{.Names}}'")).toBe('two');
  });

  test('rm is refused while it runs, rm -f, rm $(ps -aq)', async () => {
    await shell.type('$D run -d --name one busybox sleep 1000; $D run -d --name two busybox true; $D wait two');
    expect(await shell.refusal('$D rm one')).toContain(
      'container is running: stop the container before removing or force',
    );
    expect(await shell.type('$D rm -f one')).toBe('one');
    await shell.type('$D create busybox true; $D rm $($D ps -aq)');
    expect(await shell.type('$D ps -aq')).toBe('');
  });

  test('exec -it C /bin/sh', async () => {
    await shell.type('$D run -d --name one busybox sleep 1000');
    const typed = `script -qec "$D exec -it one /bin/sh" /dev/null`;
    expect(await shell.type(typed, 'echo tty $(tty | cut -c1-8)\nexit\n')).toContain('tty /dev/pts');
    expect((await engine.inspect('one')).State.Status).toBe('running');
  });

  test('attach', async () => {
    await shell.type(`$D run -d -i --name one busybox sh -c 'read line; echo "got $line"; exit 5'`);
    // The input ends with the script: what was typed is all there is.
    const { code, stdout } = await shell.try('$D attach one', 'typed\n');
    expect([code, stdout]).toEqual([5, 'got typed\n']);
  });

  test('top, stats', async () => {
    await shell.type('$D run -d --name one busybox sleep 1000');
    expect(await shell.type('$D top one')).toMatch(/^UID +PID .*\n.*sleep 1000$/);
    expect(await shell.type('$D stats --no-stream one')).toMatch(
      /^CONTAINER ID +NAME +CPU % .*\n[0-9a-f]{12} +one +\d/,
    );
  });

  test('inspect: config, state, address, mounts', async () => {
    await shell.type('$D run -d --name one -v /tmp:/host -e A=b busybox sleep 1000');
    const [facts] = JSON.parse(await shell.type('$D inspect one'));
    expect(facts.Config.Env).toContain('A=b');
    expect(facts.State).toMatchObject({ Status: 'running', Running: true });
    expect(facts.NetworkSettings.Networks.bridge.IPAddress).toMatch(/^10\./);
    expect(facts.Mounts[0]).toMatchObject({ Type: 'bind', Source: '/tmp', Destination: '/host' });
  });

  test('port C, port C 5000', async () => {
    await shell.type('$D run -d --name one -p 127.0.0.1::5000 -p 127.0.0.1::5001/udp busybox sleep 1000');
    // Docker's client prints the ports in whatever order its map has.
    const [tcp, udp, ...more] = (await shell.type('$D port one')).split('\n').sort();
    expect(tcp).toMatch(/^5000\/tcp -> 127\.0\.0\.1:\d+$/);
    expect(udp).toMatch(/^5001\/udp -> 127\.0\.0\.1:\d+$/);
    expect(more).toEqual([]);
    expect(await shell.type('$D port one 5000')).toMatch(/^127\.0\.0\.1:\d+$/);
  });

  test('cp both ways, diff', async () => {
    await shell.type('echo from the host >file; $D run -d --name one busybox sleep 1000; $D cp file one:/tmp/file');
    expect(await shell.type('$D exec one cat /tmp/file; $D cp one:/etc/passwd there; head -n 1 there')).toBe(
      'from the host\nroot:x:0:0:root:/root:/bin/sh',
    );
    expect((await shell.type('$D diff one')).split('\n').sort()).toEqual(['A /tmp/file', 'C /tmp']);
  });

  test('events', async () => {
    await shell.type('$D run --name one --label told=yes busybox true');
    const told = await shell.type(
      "$D events --since 1m --until $(($(date +%s) + 1)) --filter label=told=yes --format '{{.Action}}'",
    );
    expect(told.split('\n').slice(0, 1)).toEqual(['create']);
    expect(told.split('\n')).toEqual(expect.arrayContaining(['attach', 'start', 'die']));
  });

  test('update', async () => {
    await shell.type('$D run -d --name one -m 64m --memory-swap 64m busybox sleep 1000');
    await shell.type('$D update -m 128m --memory-swap 128m --restart on-failure:3 one');
    const { HostConfig } = await engine.inspect('one');
    expect([HostConfig.Memory, HostConfig.RestartPolicy.Name]).toEqual([128 * 1024 * 1024, 'on-failure']);
  });

  test('info, version, COMMAND --help', async () => {
    expect(await shell.type('$D info')).toContain('Server:');
    expect(await shell.type('$D version')).toMatch(/Client:(.|\n)*Server:/);
    expect(await shell.type('$D run --help')).toMatch(
      /Usage: +(berth|docker) run \[OPTIONS\] IMAGE \[COMMAND\] \[ARG...\]/,
    );
  });
});
