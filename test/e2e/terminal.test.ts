/** What a user at a terminal sees of `run -it`, `attach` and `exec -it`, typed into a real one. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { dockerClient } from '../support/docker-client.ts';
import { program, startEngine, type TestEngine } from '../support/engine.ts';
import { until } from '../support/until.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startEngine({ images: ['busybox'] });
});
afterAll(() => engine.cleanUp());

/** The part of Bun's pseudo-terminal that its types do not name yet. */
interface Terminal {
  write(data: string): void;
  resize(columns: number, rows: number): void;
}

class TypedCommand {
  output = '';
  private readonly child: Bun.Subprocess;
  private readonly terminal: Terminal;

  constructor(client: 'berth' | 'docker', ...args: string[]) {
    const argv = client === 'berth' ? [...program(), ...args] : [dockerClient(), ...args];
    const decoder = new TextDecoder();
    const options = {
      env: { ...process.env, ...engine.clientEnvironment, TERM: 'xterm' },
      terminal: {
        cols: 100,
        rows: 30,
        data: (_terminal: unknown, bytes: Uint8Array): void => {
          this.output += decoder.decode(bytes, { stream: true });
        },
      },
    };
    this.child = Bun.spawn(argv, options as Parameters<typeof Bun.spawn>[1]);
    this.terminal = (this.child as unknown as { terminal: Terminal }).terminal;
  }

  /** Resolves when the text has come since the last call. */
  async sees(text: string): Promise<void> {
    await until(`${JSON.stringify(text)} on the terminal`, () => {
      if (!this.output.includes(text)) throw new Error(JSON.stringify(this.output));
      return true;
    });
    this.output = this.output.slice(this.output.indexOf(text) + text.length);
  }

  type(text: string): void {
    this.terminal.write(text);
  }

  resize(columns: number, rows: number): void {
    this.terminal.resize(columns, rows);
  }

  async ends(): Promise<number> {
    return await this.child.exited;
  }
}

describe.each(['berth', 'docker'] as const)('%s', (client) => {
  const shell = (name: string, ...flags: string[]): TypedCommand =>
    new TypedCommand(client, 'run', '-it', '--name', `${name}-${client}`, ...flags, 'busybox', 'sh');

  test('a shell has the size of the terminal, and follows it', async () => {
    const typed = shell('size', '--rm');
    await typed.sees('# ');
    typed.type('stty size\r');
    await typed.sees('30 100');
    typed.resize(90, 20);
    typed.type('while [ "$(stty size)" != "20 90" ]; do :; done; echo res"ized"\r');
    await typed.sees('\r\nresized');
    typed.type('exit 3\r');
    expect(await typed.ends()).toBe(3);
  });

  test('ctrl-c reaches the program inside, not the client', async () => {
    const typed = shell('interrupt', '--rm');
    await typed.sees('# ');
    typed.type('echo star"ting"; sleep 1000; echo st"atus" $?\r');
    await typed.sees('\r\nstarting');
    typed.type('\x03');
    await typed.sees('^C');
    typed.type('echo al"ive"\r');
    await typed.sees('\r\nalive');
    typed.type('\x04');
    expect(await typed.ends()).toBe(0);
  });

  test('ctrl-p ctrl-q leaves it running; attach comes back and has its exit status', async () => {
    const typed = shell('detach', '--rm');
    await typed.sees('# ');
    typed.type('\x10\x11');
    expect(await typed.ends()).toBe(0);
    expect(await engine.ok('inspect', '-f', '{{.State.Status}}', `detach-${client}`)).toBe('running');
    const again = new TypedCommand(client, 'attach', `detach-${client}`);
    again.type('\recho ba"ck"\r');
    await again.sees('\r\nback');
    again.type('exit 7\r');
    expect(await again.ends()).toBe(7);
  });

  test('a line feed is one line down, and no more', async () => {
    const typed = shell('feed', '--rm');
    await typed.sees('# ');
    typed.type('stty -opost; printf "on"; printf "e\\ntwo\\n"\r');
    await typed.sees('one\ntwo\n');
    typed.type('exit\r');
    expect(await typed.ends()).toBe(0);
  });

  test('attach that is left with the keys has status 1', async () => {
    const typed = shell('again', '--rm');
    await typed.sees('# ');
    typed.type('\x10\x11');
    expect(await typed.ends()).toBe(0);
    const again = new TypedCommand(client, 'attach', `again-${client}`);
    again.type('\recho ba"ck"\r');
    await again.sees('\r\nback');
    again.type('\x10\x11');
    await again.sees('read escape sequence');
    expect(await again.ends()).toBe(1);
    await engine.ok('rm', '-f', `again-${client}`);
  });

  test('other keys to detach with', async () => {
    const typed = shell('keys', '--rm', '--detach-keys', 'ctrl-a,x');
    await typed.sees('# ');
    typed.type('\x10\x11echo st"ill"\r');
    await typed.sees('still');
    typed.type('\x01x');
    expect(await typed.ends()).toBe(0);
    await engine.ok('rm', '-f', `keys-${client}`);
  });

  test('exec can be left and goes on', async () => {
    await engine.ok('run', '-d', '--name', `left-${client}`, 'busybox', 'sleep', '1000');
    const typed = new TypedCommand(client, 'exec', '-it', '--detach-keys', 'ctrl-a,x', `left-${client}`, 'sh');
    await typed.sees('# ');
    typed.type('echo my$((1+1)) > /tmp/shell; echo st"ill"\r');
    await typed.sees('still');
    typed.type('\x01x');
    await typed.sees('read escape sequence');
    expect(await typed.ends()).toBe(1);
    const { ExecIDs } = await engine.inspect(`left-${client}`);
    expect(ExecIDs.length).toBe(1);
    expect(await engine.ok('exec', `left-${client}`, 'cat', '/tmp/shell', '/proc/2/comm')).toBe('my2\nsh');
    await engine.ok('rm', '-f', `left-${client}`);
  });

  test('exec -it has a terminal of its own', async () => {
    await engine.ok('run', '-d', '--name', `exec-${client}`, 'busybox', 'sleep', '1000');
    const typed = new TypedCommand(client, 'exec', '-it', `exec-${client}`, 'sh');
    await typed.sees('# ');
    // Older clients tell the size only after the start.
    typed.type('while [ "$(stty size)" != "30 100" ]; do :; done; tty\r');
    await typed.sees('/dev/pts/');
    typed.type('exit 9\r');
    expect(await typed.ends()).toBe(9);
    await engine.ok('rm', '-f', `exec-${client}`);
  });
});

test('cp says at a terminal how much went over', async () => {
  await engine.ok('create', '--name', 'target', 'busybox');
  const typed = new TypedCommand('berth', 'cp', '/etc/hostname', 'target:/copied');
  await typed.sees('Successfully copied 10.2kB to target:/copied\r\n');
  expect(await typed.ends()).toBe(0);
  await engine.ok('rm', 'target');
});

test('an engine that dies under a terminal is told in a line; the container goes on', async () => {
  const typed = new TypedCommand('berth', 'run', '--rm', '-it', '--name', 'orphan', 'busybox', 'sh');
  await typed.sees('# ');
  typed.type('echo he"re"\r');
  await typed.sees('\r\nhere\r\n');
  await engine.kill9();
  expect(await typed.ends()).toBe(125);
  await typed.sees('error waiting for container: unexpected EOF');
  expect(typed.output.trim()).toBe('');
  await engine.start();
  const again = new TypedCommand('berth', 'attach', 'orphan');
  again.type('\rexit 3\r');
  expect(await again.ends()).toBe(3);
});

test('the third ctrl-c ends a client whose container does not listen', async () => {
  const typed = new TypedCommand('berth', 'run', '--name', 'deaf', 'busybox', 'sh', '-c', 'echo up; exec sleep 1000');
  await typed.sees('up');
  const kills = ['events', '--since', '60s', '--until', '0s', '--filter', 'container=deaf', '--filter', 'event=kill'];
  for (const count of [1, 2]) {
    typed.type('\x03');
    await until(`signal ${count}`, async () => (await engine.ok(...kills, '--format', 'x')).split('x').length > count);
  }
  typed.type('\x03');
  expect(await typed.ends()).toBe(1);
  await typed.sees('got 3 SIGTERM/SIGINTs, forcefully exiting');
  expect(await engine.ok('inspect', '-f', '{{.State.Status}}', 'deaf')).toBe('running');
  await engine.ok('rm', '-f', 'deaf');
});
