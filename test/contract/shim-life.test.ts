/** What only real shims can show: they outlive the engine, leave nothing, and hold back nobody but who must wait. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { ShimSpec } from '../../src/supervisor/types.ts';
import { until } from '../support/until.ts';
import { type ShimHarness, shimHarness } from './shim-harness.ts';
import { processOf } from './supervisor-bundle.ts';
import { everything, readStreams } from './supervisor-contract.ts';

const output = { stdin: false, stdout: true, stderr: true };
let harness: ShimHarness;
beforeAll(() => {
  harness = shimHarness();
});
afterAll(() => harness.close());

function execId(number: number): string {
  return number.toString(16).padStart(64, 'f');
}

/** Directories of the container's cgroup in all hierarchies. */
function cgroups(spec: ShimSpec): string[] {
  const top = '/sys/fs/cgroup';
  const roots = existsSync(`${top}/cgroup.controllers`) ? [top] : readdirSync(top).map((name) => join(top, name));
  return roots.map((root) => join(root, spec.cgroupPath)).filter((path) => existsSync(path));
}

/** The shim's pid: the process whose working directory is the container's. */
function shimPid(spec: ShimSpec): number {
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      if (
        readlinkSync(`/proc/${name}/cwd`) === spec.directory &&
        readFileSync(`/proc/${name}/comm`, 'utf8').startsWith('shim')
      )
        return Number(name);
    } catch {
      // it has just ended
    }
  }
  return 0;
}

/** The same, for a signal: 0 would be this test's own process group. */
function livingShim(spec: ShimSpec): number {
  const pid = shimPid(spec);
  if (pid === 0) throw new Error('the shim is gone');
  return pid;
}

async function end(spec: ShimSpec, supervisor = harness.supervisor): Promise<void> {
  await supervisor.signal(spec.id, null, 9).catch(() => undefined); // it may have ended
  await harness.exited(spec.id);
  await supervisor.cleanUp(spec.id, spec.directory);
}

describe('after the exit', () => {
  test('no cgroup, state, mount, directory or process is left', async () => {
    const spec = harness.container({ kind: 'exit', code: 0 });
    await harness.supervisor.start(spec);
    await harness.exited(spec.id);
    await harness.supervisor.cleanUp(spec.id, spec.directory);
    expect(cgroups(spec)).toEqual([]);
    expect(existsSync(join(spec.runtime.root, spec.id))).toBe(false);
    expect(existsSync(spec.directory)).toBe(false);
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(spec.id);
    await until('the shim to end', () => shimPid(spec) === 0);
  });

  test('a root that must be written to disk is let go of before the clean-up ends, so that it can be mounted again', async () => {
    const first = harness.make({ command: ['sh', '-c', 'echo kept > /file'] });
    if (first.root.kind !== 'overlay') throw new Error('not an overlay');
    const root = { ...first.root, volatile: false };
    for (const spec of [{ ...first, root }, harness.make({ command: ['cat', '/file'], root, attachments: [output] })]) {
      const { attachments } = await harness.supervisor.start(spec);
      const seen = attachments[0] ? await readStreams(attachments[0]) : null;
      expect((await harness.exited(spec.id)).code).toBe(0);
      await harness.supervisor.cleanUp(spec.id, spec.directory);
      if (seen) expect(seen.stdout).toBe('kept\n');
      // Nobody has the overlay any more: its upper directory would be busy for a mount that keeps an index.
      expect(cgroups(spec)).toEqual([]);
      await until('the shim to end', () => shimPid(spec) === 0);
    }
  });

  test('nothing is left after a refused start either', async () => {
    const spec = harness.make({ command: ['nosuch'] });
    await expect(harness.supervisor.start(spec)).rejects.toThrow('executable file not found');
    expect(cgroups(spec)).toEqual([]);
    expect(existsSync(join(spec.runtime.root, spec.id))).toBe(false);
    expect(existsSync(spec.directory)).toBe(false);
    await until('the shim to end', () => shimPid(spec) === 0);
  });

  test('nor where the runtime, a layer or a network namespace is missing', async () => {
    const nowhere = join(harness.bundles.root, 'nowhere');
    const whole = harness.make({ command: ['true'] });
    const wrong: [spec: ShimSpec, said: string][] = [
      [harness.make({ command: ['true'], runtime: { ...whole.runtime, path: nowhere } }), `fork/exec ${nowhere}`],
      [
        harness.make({
          command: ['true'],
          root: { kind: 'overlay', lower: [nowhere], upper: nowhere, work: nowhere, volatile: false },
        }),
        'mount the root',
      ],
      [
        harness.make({ command: ['true'], network: { kind: 'join', path: nowhere } }),
        'failed to set up container networking',
      ],
    ];
    for (const [spec, said] of wrong) {
      await expect(harness.supervisor.start(spec)).rejects.toThrow(said);
      expect(cgroups(spec)).toEqual([]);
      expect(existsSync(spec.directory)).toBe(false);
      await until('the shim to end', () => shimPid(spec) === 0);
    }
  });

  test('a container without a pid namespace of its own takes its other processes along', async () => {
    const spec = harness.make({
      command: ['sh', '-c', 'sleep 12345 & echo $!'],
      hostPidNamespace: true,
      attachments: [output],
    });
    const { attachments } = await harness.supervisor.start(spec);
    const { stdout } = await readStreams(attachments[0]!);
    await end(spec);
    expect(stdout).toMatch(/^\d+\n$/);
    expect(existsSync(`/proc/${stdout.trim()}`)).toBe(false);
    expect(cgroups(spec)).toEqual([]);
  });

  test('runc ends as cleanly', async () => {
    const runtime = { path: '/usr/sbin/runc', root: join(harness.bundles.root, 'runc'), arguments: [] };
    const spec = harness.make({ command: ['sh', '-c', 'echo hello; exit 4'], runtime, attachments: [output] });
    const { attachments } = await harness.supervisor.start(spec);
    expect(await readStreams(attachments[0]!)).toEqual({ stdout: 'hello\n', stderr: '' });
    expect((await harness.exited(spec.id)).code).toBe(4);
    await harness.supervisor.cleanUp(spec.id, spec.directory);
    expect(existsSync(join(runtime.root, spec.id))).toBe(false);
    expect(cgroups(spec)).toEqual([]);
  });
});

describe('the engine dies', () => {
  test('its successor adopts a running container with everything that can be asked of it', async () => {
    const spec = harness.container({ kind: 'wait' });
    const started = await harness.supervisor.start(spec);
    harness.supervisor.close();
    const next = harness.successor();
    const adoption = await next.adopt(spec.id, spec.directory);
    expect(adoption).toEqual({ state: 'running', pid: started.pid, startedAt: started.startedAt });
    const exec = await next.exec(spec.id, {
      execId: execId(1),
      process: processOf(['printf', 'still here']),
      terminal: false,
      size: null,
      attach: output,
    });
    expect((await readStreams(exec.stream!)).stdout).toBe('still here');
    await next.signal(spec.id, null, 15);
    expect((await harness.exited(spec.id)).code).toBe(143);
    await next.cleanUp(spec.id, spec.directory);
    expect(cgroups(spec)).toEqual([]);
  });

  test('an exit in between is read from the disk', async () => {
    const spec = harness.container({ kind: 'wait' });
    const first = harness.successor();
    const { pid } = await first.start(spec);
    first.close();
    process.kill(pid, 'SIGKILL');
    await until('the shim to end', () => shimPid(spec) === 0);
    const next = harness.successor();
    const adoption = await next.adopt(spec.id, spec.directory);
    expect(adoption).toMatchObject({ state: 'exited', status: { code: 137, oomKilled: false } });
    await next.cleanUp(spec.id, spec.directory);
    expect(existsSync(spec.directory)).toBe(false);
  });

  test('an attached client that dies with it does not stop the container', async () => {
    const spec = harness.make({ command: ['sh', '-c', 'seq 1 200000; exec sleep 1000'], attachments: [output] });
    const first = harness.successor();
    const { attachments } = await first.start(spec);
    await new Promise((resolve) => attachments[0]!.once('data', resolve));
    attachments[0]!.destroy();
    first.close();
    const next = harness.successor();
    expect(await next.adopt(spec.id, spec.directory)).toMatchObject({ state: 'running' });
    // It got through its output although nobody reads it.
    const exec = execId(2);
    await until('the container to sleep', async () => {
      const looked = await next.exec(spec.id, {
        execId: exec,
        process: processOf(['sh', '-c', 'head -c 5 /proc/1/cmdline']),
        terminal: false,
        size: null,
        attach: output,
      });
      const { stdout } = await readStreams(looked.stream!);
      await looked.exit;
      return stdout === 'sleep';
    });
    await end(spec, next);
  });
});

describe('the shim is killed', () => {
  test('the container is ended and told, and everything is cleaned up', async () => {
    const spec = harness.container({ kind: 'wait' });
    const owner = harness.successor();
    const { pid } = await owner.start(spec);
    process.kill(livingShim(spec), 'SIGKILL');
    expect((await harness.exited(spec.id)).code).toBe(137);
    expect(existsSync(`/proc/${pid}/root/bin/sh`)).toBe(false);
    await owner.cleanUp(spec.id, spec.directory);
    expect(cgroups(spec)).toEqual([]);
    expect(existsSync(join(spec.runtime.root, spec.id))).toBe(false);
  });
});

describe('the shim is asked to end', () => {
  test('it goes on, and its container does not inherit the deaf ear', async () => {
    const command = ['sh', '-c', 'read go; echo $go; kill -TERM $$; sleep 1000'];
    const spec = harness.make({ command, stdin: 'once', attachments: [everything], hostPidNamespace: true });
    const owner = harness.successor();
    const { attachments } = await owner.start(spec);
    const shim = livingShim(spec);
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.kill(shim, signal);
    attachments[0]!.end('gone\n');
    expect((await readStreams(attachments[0]!)).stdout).toBe('gone\n');
    expect((await harness.exited(spec.id)).code).toBe(143);
    await owner.cleanUp(spec.id, spec.directory);
  });
});

describe('the launcher is killed', () => {
  test('its shims go on, and the next start has another', async () => {
    const owner = harness.successor();
    const first = harness.container({ kind: 'wait' });
    await owner.start(first);
    const launchers = readdirSync('/proc').filter((name) => {
      if (!/^\d+$/.test(name)) return false;
      try {
        const words = readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0');
        return (
          words[1] === 'launch' && readFileSync(`/proc/${name}/stat`, 'utf8').split(' ')[3] === String(process.pid)
        );
      } catch {
        return false; // it has just ended
      }
    });
    expect(launchers.length).toBeGreaterThan(0);
    for (const pid of launchers) process.kill(Number(pid), 'SIGKILL');
    // A start in the very moment of its death may fail; it leaves nothing.
    await until('a start to succeed', async () => {
      const second = harness.container({ kind: 'wait' });
      await owner.start(second);
      await end(second, owner);
      return true;
    });
    await owner.resize(first.id, null, { rows: 1, columns: 1 });
    await end(first, owner);
  });
});

describe('streams', () => {
  test('a client that does not read holds the container back, and memory stays bounded', async () => {
    const bytes = 32 * 1024 * 1024;
    const spec = harness.make({ command: ['head', '-c', String(bytes), '/dev/zero'], attachments: [output] });
    const owner = harness.successor();
    const { attachments } = await owner.start(spec);
    const shim = livingShim(spec);
    // The writer waits in its pipe once the socket is full.
    await until('the container to wait for its reader', () => {
      const state = readFileSync(`/proc/${shim}/status`, 'utf8');
      return /State:\tS/.test(state);
    });
    const rollup = readFileSync(`/proc/${shim}/smaps_rollup`, 'utf8');
    const dirty = Number(/Private_Dirty:\s+(\d+)/.exec(rollup)?.[1]);
    // AddressSanitizer has a few megabytes of its own.
    expect(dirty).toBeLessThan(process.env['BERTH_TEST_SHIM'] ? 16_384 : 1024);
    let received = 0;
    for await (const chunk of attachments[0]!) received += (chunk as Buffer).length;
    expect(received).toBeGreaterThan(bytes);
    expect((await harness.exited(spec.id)).code).toBe(0);
    await owner.cleanUp(spec.id, spec.directory);
  });

  test('the exit is told although a client still has to read the last output', async () => {
    const spec = harness.make({ command: ['head', '-c', '300000', '/dev/zero'], attachments: [output] });
    const owner = harness.successor();
    const { attachments } = await owner.start(spec);
    attachments[0]!.pause();
    expect((await harness.exited(spec.id)).code).toBe(0);
    await owner.cleanUp(spec.id, spec.directory);
    const { stdout } = await readStreams(attachments[0]!);
    expect(stdout.length).toBe(300_000);
    await until('the shim to end', () => shimPid(spec) === 0);
  });

  test('stdin of an open container outlives its clients, and a closed reader harms nobody', async () => {
    const command = ['sh', '-c', 'for i in 1 2; do read line; echo "got $line"; done; exec 0<&-; exec sleep 1000'];
    const spec = harness.make({ command, stdin: 'open' });
    const owner = harness.successor();
    await owner.start(spec);
    const watcher = await owner.attach(spec.id, output);
    let heard = '';
    watcher.on('data', (data: Buffer) => {
      heard += data.toString('utf8', 8);
    });
    const input = { stdin: true, stdout: false, stderr: false };
    const first = await owner.attach(spec.id, input);
    first.end('one\n');
    await until('the first line', () => heard === 'got one\n');
    const second = await owner.attach(spec.id, input);
    second.write('two\n');
    await until('the second line', () => heard === 'got one\ngot two\n');
    second.end('nobody reads this\n'.repeat(10_000));
    watcher.destroy();
    await end(spec, owner);
  });

  test('a terminal has the size that was asked for, and changes it', async () => {
    const command = [
      'sh',
      '-c',
      'stty size; trap "stty size; exit 0" WINCH; echo ready; while :; do sleep 1000 & wait; done',
    ];
    const size = { rows: 33, columns: 77 };
    const spec = harness.make({ command, terminal: true, size, attachments: [everything] });
    const owner = harness.successor();
    const { attachments } = await owner.start(spec);
    let seen = '';
    attachments[0]!.on('data', (data: Buffer) => {
      seen += data.toString();
    });
    await until('the trap to be set', () => seen.includes('ready'));
    await owner.resize(spec.id, null, { rows: 40, columns: 100 });
    expect((await harness.exited(spec.id)).code).toBe(0);
    await until('the second size', () => seen.endsWith('40 100\r\n'));
    expect(seen).toBe('33 77\r\nready\r\n40 100\r\n');
    await owner.cleanUp(spec.id, spec.directory);
  });

  test('an exec ends although a process in its background keeps its output', async () => {
    const spec = harness.container({ kind: 'wait' });
    const owner = harness.successor();
    await owner.start(spec);
    const exec = await owner.exec(spec.id, {
      execId: execId(3),
      process: processOf(['sh', '-c', 'echo said; sleep 1000 & exit 5']),
      terminal: false,
      size: null,
      attach: output,
    });
    expect((await readStreams(exec.stream!)).stdout).toBe('said\n');
    expect((await exec.exit).code).toBe(5);
    await end(spec, owner);
  });

  test('an exec with a terminal', async () => {
    const spec = harness.container({ kind: 'wait' });
    const owner = harness.successor();
    await owner.start(spec);
    const exec = await owner.exec(spec.id, {
      execId: execId(4),
      // crun 1.8 leaves the size of an exec to the shim, which sets it when it gets the terminal: the process may be earlier.
      process: processOf(['sh', '-c', 'until stty size 2>&1 | tail -n 1 | grep 12; do :; done'], { terminal: true }),
      terminal: true,
      size: { rows: 12, columns: 34 },
      attach: everything,
    });
    expect(await text(exec.stream!)).toBe('12 34\r\n');
    expect((await exec.exit).code).toBe(0);
    await end(spec, owner);
  });
});

describe('the log', () => {
  test('has every line with its stream, and is cut to nothing on request', async () => {
    const path = join(harness.bundles.root, 'log.json');
    const log = {
      driver: 'json-file',
      path,
      maxSize: -1,
      maxFile: 1,
      compress: false,
      attributes: { tag: 'x' },
    } as const;
    const command = ['sh', '-c', 'echo one; echo two >&2; read go; echo three'];
    const spec = harness.make({ command, log, stdin: 'once' });
    const owner = harness.successor();
    await owner.start(spec);
    const entries = (): unknown[] =>
      readFileSync(path, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line));
    await until('two entries', () => entries().length === 2);
    expect(entries()).toEqual(
      expect.arrayContaining([
        { log: 'one\n', stream: 'stdout', attrs: { tag: 'x' }, time: expect.any(String) },
        { log: 'two\n', stream: 'stderr', attrs: { tag: 'x' }, time: expect.any(String) },
      ]),
    );
    await owner.truncateLog(spec.id);
    expect(entries()).toEqual([]);
    const client = await owner.attach(spec.id, { stdin: true, stdout: false, stderr: false });
    client.end('\n');
    expect((await harness.exited(spec.id)).code).toBe(0);
    expect(entries()).toEqual([expect.objectContaining({ log: 'three\n' })]);
    await owner.cleanUp(spec.id, spec.directory);
  });
});

describe('memory', () => {
  test('the kernel killing for want of memory is told', async () => {
    const spec = harness.make({
      command: ['sh', '-c', 'head -c 200000000 /dev/zero | tail'],
      memoryLimit: 16 * 1024 * 1024,
    });
    const owner = harness.successor();
    await owner.start(spec);
    const status = await harness.exited(spec.id);
    expect(status.oomKilled).toBe(true);
    expect(harness.outOfMemory).toContain(spec.id);
    await owner.cleanUp(spec.id, spec.directory);
  });
});
