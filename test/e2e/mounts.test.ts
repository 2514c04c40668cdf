/** Volumes, binds, propagation and namespaces shared between containers, on the real kernel. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../support/command.ts';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { until } from '../support/until.ts';

let engine: TestEngine;
let folder: string;
beforeAll(async () => {
  engine = await startEngine({ images: ['busybox'] });
  folder = mkdtempSync('/var/tmp/berth-e2e-mounts-');
});
afterEach(async () => {
  await engine.removeContainers();
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await engine.cleanUp();
});

async function output(...args: string[]): Promise<string> {
  const result = await engine.docker('run', '--rm', ...args);
  expect(result).toMatchObject({ code: 0, stderr: '' });
  return result.stdout.trim();
}

describe('volumes', () => {
  test('an empty one is filled with what the image has there, owner and mode included; a full one is left alone', async () => {
    expect(
      await output('-v', 'filled:/etc', 'busybox', 'sh', '-c', 'ls /etc | grep -c passwd; echo mine > /etc/passwd'),
    ).toBe('1');
    expect(await output('-v', 'filled:/other', 'busybox', 'cat', '/other/passwd')).toBe('mine');
    expect(await output('-v', 'filled:/etc', 'busybox', 'cat', '/etc/passwd')).toBe('mine');
    expect(await output('-v', 'bare:/etc:nocopy', 'busybox', 'sh', '-c', 'ls /etc | grep -c passwd || true')).toBe('0');
    expect((await engine.docker('volume', 'rm', 'filled', 'bare')).code).toBe(0);
  });

  test('one in use stays, anonymous ones go with --rm', async () => {
    await engine.ok('create', '--name', 'user', '-v', 'held:/v', 'busybox');
    const refused = await engine.docker('volume', 'rm', 'held');
    expect(refused.stderr).toContain('volume is in use');
    await engine.ok('rm', 'user');
    expect((await engine.docker('volume', 'rm', 'held')).code).toBe(0);
    await output('-v', '/anonymous', 'busybox', 'true');
    expect((await engine.docker('volume', 'ls', '-q')).stdout).toBe('');
  });

  test('a directory inside one can be mounted, and no link leads out of it', async () => {
    // Debian's client is too old to know the option.
    const show = (path: string) =>
      engine.berth(
        'run',
        '--rm',
        `--mount=type=volume,src=tree,dst=/x,volume-subpath=${path}`,
        'busybox',
        'cat',
        '/x/f',
      );
    const links = 'ln -s d /v/inside; ln -s /etc /v/out; ln -s ../../../../../../etc /v/up';
    await output('-v', 'tree:/v', 'busybox', 'sh', '-c', `mkdir /v/d; echo deep > /v/d/f; ${links}`);
    expect((await show('d')).stdout).toBe('deep\n');
    expect((await show('inside')).stdout).toBe('deep\n');
    for (const path of ['out', 'up', 'missing']) {
      const refused = await show(path);
      expect(refused.code).not.toBe(0);
      expect(refused.stderr).toContain(path === 'out' ? 'escapes the base directory' : 'cannot access path');
    }
    expect((await engine.docker('volume', 'rm', 'tree')).code).toBe(0);
  });

  test('another container lends its mounts', async () => {
    writeFileSync(join(folder, 'lent'), 'from the host');
    await engine.ok('create', '--name', 'lender', '-v', `${folder}:/data`, 'busybox');
    expect(await output('--volumes-from', 'lender', 'busybox', 'cat', '/data/lent')).toBe('from the host');
    const readOnly = await engine.docker('run', '--rm', '--volumes-from', 'lender:ro', 'busybox', 'touch', '/data/new');
    expect(readOnly.stderr).toContain('Read-only file system');
  });
});

describe('binds', () => {
  test('read-only reaches the mounts below', async () => {
    const parent = join(folder, 'parent');
    mkdirSync(join(parent, 'below'), { recursive: true });
    expect((await run(['mount', '-t', 'tmpfs', 'berth-test', join(parent, 'below')])).code).toBe(0);
    try {
      const result = await engine.docker('run', '--rm', '-v', `${parent}:/p:ro`, 'busybox', 'touch', '/p/below/x');
      expect(result.stderr).toContain('Read-only file system');
    } finally {
      await run(['umount', join(parent, 'below')]);
    }
  });

  test('mounts travel as far as the propagation says', async () => {
    const shared = join(folder, 'shared');
    mkdirSync(join(shared, 'sub'), { recursive: true });
    await run(['mount', '--bind', shared, shared]);
    await run(['mount', '--make-shared', shared]);
    try {
      const script = 'mount -t tmpfs t /p/sub && touch /p/sub/inside && sleep 1000';
      await engine.ok(
        'run',
        '-d',
        '--name',
        'giver',
        '--privileged',
        '-v',
        `${shared}:/p:rshared`,
        'busybox',
        'sh',
        '-c',
        script,
      );
      await until('the mount to arrive', () => existsSync(join(shared, 'sub', 'inside')));
      await run(['umount', join(shared, 'sub')]);
      await engine.ok('run', '-d', '--name', 'taker', '-v', `${shared}:/p:rslave`, 'busybox', 'sleep', '1000');
      await run(['mount', '-t', 'tmpfs', 'berth-test', join(shared, 'sub')]);
      writeFileSync(join(shared, 'sub', 'outside'), '');
      expect(await engine.ok('exec', 'taker', 'ls', '/p/sub')).toBe('outside');
      await run(['umount', join(shared, 'sub')]);
      expect(await engine.ok('exec', 'taker', 'ls', '/p/sub')).toBe('');
    } finally {
      await engine.removeContainers();
      await run(['umount', '-l', shared]);
    }
    const plain = await engine.docker('run', '--rm', '-v', `${folder}:/p:rshared`, 'busybox', 'true');
    expect(plain.code).toBe(125);
    expect(plain.stderr).toContain('but it is not a shared mount');
  });
});

describe('what containers share', () => {
  test('IPC, shared memory included, where the donor lets them', async () => {
    await engine.ok(
      'run',
      '-d',
      '--name',
      'donor',
      '--ipc',
      'shareable',
      'busybox',
      'sh',
      '-c',
      'echo here > /dev/shm/f; sleep 1000',
    );
    expect(
      await output('--ipc', 'container:donor', 'busybox', 'sh', '-c', 'until cat /dev/shm/f 2>/dev/null; do :; done'),
    ).toBe('here');
    await engine.ok('run', '-d', '--name', 'closed', 'busybox', 'sleep', '1000');
    const refused = await engine.docker('run', '--rm', '--ipc', 'container:closed', 'busybox', 'true');
    expect(refused.stderr).toContain('non-shareable IPC');
  });

  test('processes and network', async () => {
    await engine.ok('run', '-d', '--name', 'host', 'busybox', 'sleep', '54321');
    expect(await output('--pid', 'container:host', 'busybox', 'sh', '-c', 'tr "\\0" " " < /proc/1/cmdline')).toBe(
      'sleep 54321',
    );
    const address = 'ip -4 -o address show eth0 | tr -s " " | cut -d" " -f4';
    expect(await output('--network', 'container:host', 'busybox', 'sh', '-c', address)).toBe(
      await engine.ok('exec', 'host', 'sh', '-c', address),
    );
  });
});

describe('users', () => {
  test('are found in the image, never on the host, wherever the container points its links', async () => {
    expect(await output('-u', 'daemon', 'busybox', 'id', '-u')).toBe('1');
    const known = new Set((await output('busybox', 'cut', '-d:', '-f1', '/etc/passwd')).split('\n'));
    const ours = readFileSync('/etc/passwd', 'utf8').split('\n');
    const stranger = ours.map((line) => line.split(':')[0] as string).find((name) => name !== '' && !known.has(name));
    const link = 'ln -sf ../../../../../../../../etc/passwd /etc/passwd; touch /ready; sleep 1000';
    await engine.ok('run', '-d', '--name', 'liar', 'busybox', 'sh', '-c', link);
    await until('the link', async () => (await engine.berth('exec', 'liar', 'test', '-e', '/ready')).code === 0);
    const failed = await engine.berth('exec', '-u', stranger ?? 'nobody-at-all', 'liar', 'id');
    expect(failed.code).not.toBe(0);
    expect(failed.stderr + failed.stdout).toContain('no matching entries in passwd file');
    await engine.ok('kill', 'liar');
    await engine.ok('start', 'liar');
    expect(await engine.ok('exec', 'liar', 'id', '-u')).toBe('0');
  });
});

describe('runc', () => {
  test('runs the same bundle: parameters of the network, limits, exec, exit code', async () => {
    expect(
      await output(
        '--runtime',
        'runc',
        '--sysctl',
        'net.ipv4.ip_forward=0',
        'busybox',
        'cat',
        '/proc/sys/net/ipv4/ip_forward',
      ),
    ).toBe('0');
    await engine.ok('run', '-d', '--runtime', 'runc', '--name', 'other', '-m', '32m', 'busybox', 'sleep', '1000');
    expect(await engine.ok('exec', 'other', 'echo', 'in')).toBe('in');
    const failed = await engine.docker('run', '--rm', '--runtime', 'runc', 'busybox', 'nosuchprogram');
    expect(failed.code).toBe(127);
  });
});

describe('limits of a running container', () => {
  test('change at once, and are seen by stats', async () => {
    await engine.ok('run', '-d', '--name', 'changed', 'busybox', 'sleep', '1000');
    expect((await engine.docker('update', '-m', '64m', '--memory-swap', '128m', 'changed')).code).toBe(0);
    const stats = (await (await engine.request('GET', '/containers/changed/stats?stream=0&one-shot=1')).json()) as {
      memory_stats: { limit: number };
      pids_stats: { current: number };
    };
    expect(stats.memory_stats.limit).toBe(64 * 1024 * 1024);
    expect(stats.pids_stats.current).toBe(1);
    expect((await engine.docker('update', '-m', '1k', 'changed')).stderr).toContain(
      'Minimum memory limit allowed is 6MB',
    );
  });
});

test('diff shows what the container did, and nothing of what the engine did', async () => {
  await engine.ok(
    'run',
    '--name',
    'busy',
    'busybox',
    'sh',
    '-c',
    'echo x > /new; rm /bin/vi; mkdir /etc/d; chmod 751 /root',
  );
  expect((await engine.docker('diff', 'busy')).stdout.trim().split('\n').sort()).toEqual(
    ['A /etc/d', 'A /new', 'C /bin', 'C /etc', 'C /root', 'D /bin/vi'].sort(),
  );
});
