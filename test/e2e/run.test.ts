/** What `run` does, typed by a user of either client. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CommandResult } from '../support/command.ts';
import { startEngine, type TestEngine } from '../support/engine.ts';

let engine: TestEngine;
let folder: string;
beforeAll(async () => {
  engine = await startEngine({ images: ['busybox'] });
  folder = mkdtempSync('/var/tmp/berth-e2e-run-');
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await engine.cleanUp();
});

describe.each(['berth', 'docker'] as const)('%s run', (client) => {
  const run = (...args: string[]): Promise<CommandResult> => engine[client]('run', '--rm', ...args);
  const sh = async (script: string, ...flags: string[]): Promise<string> => {
    const result = await run(...flags, 'busybox', 'sh', '-c', script);
    expect(result).toMatchObject({ code: 0, stderr: '' });
    return result.stdout;
  };

  test('gives the output, each stream on its own', async () => {
    const result = await run('busybox', 'sh', '-c', 'echo out; echo err >&2');
    expect(result).toEqual({ code: 0, stdout: 'out\n', stderr: 'err\n' });
  });

  test('passes the exit code on, 128 + signal for a killed process', async () => {
    expect((await run('busybox', 'sh', '-c', 'exit 3')).code).toBe(3);
    expect((await run('busybox', 'sh', '-c', 'sh -c "kill -9 \\$\\$"; exit $?')).code).toBe(137);
  });

  test('answers 127 for a missing program, 126 for one that is not executable, 125 for its own errors', async () => {
    const missing = await run('busybox', '/no/such/program');
    expect(missing.code).toBe(127);
    expect(missing.stderr).toContain('no such file or directory');
    const inPath = await run('busybox', 'nosuchprogram');
    expect(inPath.code).toBe(127);
    expect(inPath.stderr).toContain('executable file not found in $PATH');
    const notExecutable = await run('busybox', '/etc/passwd');
    expect(notExecutable.code).toBe(126);
    expect(notExecutable.stderr).toContain('permission denied');
    expect((await run('--no-such-flag', 'busybox', 'true')).code).toBe(125);
    expect((await run('-m', '1k', 'busybox', 'true')).code).toBe(125);
  });

  test('reads standard input to its end', async () => {
    const with_ = client === 'berth' ? engine.berthWith.bind(engine) : engine.dockerWith.bind(engine);
    const text = 'line\n'.repeat(50_000);
    const result = await with_({ stdin: text }, 'run', '--rm', '-i', 'busybox', 'md5sum');
    const expected = new Bun.CryptoHasher('md5').update(text).digest('hex');
    expect(result.stdout).toBe(`${expected}  -\n`);
  });

  test('sets environment, directory, user, host name', async () => {
    expect(
      await sh('echo $A $B; pwd; id -u; id -g', '-e', 'A=1', '-e', 'B=x y', '-w', '/new/dir', '-u', 'daemon'),
    ).toBe('1 x y\n/new/dir\n1\n1\n');
    expect(await sh('hostname; cat /etc/hostname', '-h', 'somewhere')).toBe('somewhere\nsomewhere\n');
    expect(await sh('id', '-u', '1234:100')).toContain('uid=1234 gid=100(users)');
    const unknown = await run('-u', 'nosuchuser', 'busybox', 'true');
    expect(unknown.code).not.toBe(0);
    expect(unknown.stderr).toContain('unable to find user nosuchuser: no matching entries in passwd file');
  });

  test('the host name is the short id', async () => {
    const id = join(folder, `${client}.cid`);
    const name = (await sh('hostname', '--cidfile', id)).trim();
    expect(readFileSync(id, 'utf8').slice(0, 12)).toBe(name);
  });

  test('replaces the entry point, appends arguments to it', async () => {
    expect((await run('--entrypoint', '/bin/echo', 'busybox', 'a', 'b')).stdout).toBe('a b\n');
  });

  test('keeps the root read-only where asked, tmpfs and volumes writable', async () => {
    const script =
      'touch /x 2>/dev/null || echo refused; touch /t/y && stat -c %a /t; mount | grep -c " /t type tmpfs"';
    expect(await sh(script, '--read-only', '--tmpfs', '/t:size=1m,mode=1777')).toBe('refused\n1777\n1\n');
  });

  test('binds folders of the host, read-only too, and makes a missing one', async () => {
    writeFileSync(join(folder, 'greeting'), 'hello');
    expect(await sh('cat /d/greeting; touch /d/x 2>/dev/null || echo refused', '-v', `${folder}:/d:ro`)).toBe(
      'hellorefused\n',
    );
    const fresh = join(folder, client, 'deep');
    await sh('echo made > /d/file', '-v', `${fresh}:/d`);
    expect(readFileSync(join(fresh, 'file'), 'utf8')).toBe('made\n');
    const mounted = await run('--mount', `type=bind,source=${folder}/nosuch,target=/d`, 'busybox', 'true');
    expect(mounted.code).toBe(125);
    expect(mounted.stderr).toContain('bind source path does not exist');
  });

  test('two containers share a named volume, which outlives them', async () => {
    const volume = `shared-${client}`;
    await sh('echo kept > /data/file', '-v', `${volume}:/data`);
    expect(await sh('cat /data/file', '-v', `${volume}:/data`)).toBe('kept\n');
    expect((await engine[client]('volume', 'rm', volume)).code).toBe(0);
  });

  test('gives the default capabilities and devices, all with --privileged, none with --cap-drop ALL', async () => {
    const effective = async (...flags: string[]) =>
      (await sh('grep CapEff /proc/self/status', ...flags)).split('\t')[1]?.trim();
    expect(await effective()).toBe('00000000a80425fb');
    expect(await effective('--cap-drop', 'ALL')).toBe('0000000000000000');
    expect(await effective('--cap-drop', 'ALL', '--cap-add', 'NET_ADMIN')).toBe('0000000000001000');
    const all = BigInt(`0x${await effective('--privileged')}`);
    expect(all & 0x200000n).toBe(0x200000n);
    expect((await sh('ls /dev')).split('\n').filter(Boolean).sort()).toEqual([
      'core',
      'fd',
      'full',
      'mqueue',
      'null',
      'ptmx',
      'pts',
      'random',
      'shm',
      'stderr',
      'stdin',
      'stdout',
      'tty',
      'urandom',
      'zero',
    ]);
  });

  test('filters system calls, hides what Docker hides', async () => {
    expect(await sh('grep Seccomp: /proc/self/status')).toBe('Seccomp:\t2\n');
    expect(await sh('grep Seccomp: /proc/self/status', '--security-opt', 'seccomp=unconfined')).toBe('Seccomp:\t0\n');
    expect(
      await sh(
        'wc -c < /proc/timer_list; ls /proc/acpi 2>/dev/null | wc -l; (echo 1 > /proc/sys/kernel/panic) 2>/dev/null || echo refused',
      ),
    ).toBe('0\n0\nrefused\n');
    expect(await sh('grep NoNewPrivs /proc/self/status', '--security-opt', 'no-new-privileges')).toBe(
      'NoNewPrivs:\t1\n',
    );
  });

  test('limits memory, processes, files and shared memory', async () => {
    const memory = 'cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null; true';
    expect(await sh(memory, '-m', '64m')).toBe('67108864\n');
    const pids = 'cat /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/pids.max 2>/dev/null; true';
    expect(await sh(pids, '--pids-limit', '77')).toBe('77\n');
    expect(await sh('ulimit -n; ulimit -Hn', '--ulimit', 'nofile=100:200')).toBe('100\n200\n');
    expect(await sh('df -k /dev/shm | tail -1 | awk "{print \\$2}"', '--shm-size', '1m')).toBe('1024\n');
    const cpu = 'cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us 2>/dev/null || cut -d" " -f1 /sys/fs/cgroup/cpu.max';
    expect(await sh(cpu, '--cpus', '0.5')).toBe('50000\n');
  });

  test('is killed and marked when it takes more memory than allowed', async () => {
    const name = `hungry-${client}`;
    const result = await engine[client](
      'run',
      '--name',
      name,
      '-m',
      '16m',
      '--memory-swap',
      '16m',
      'busybox',
      'sh',
      '-c',
      'tail /dev/zero',
    );
    expect(result.code).toBe(137);
    expect((await engine.inspect(name)).State.OOMKilled).toBe(true);
  });

  test('an init reaps the orphans', async () => {
    expect(
      await sh(
        'cat /proc/1/comm; (sh -c "true &"); until ! ps | grep -q "[Z] *true"; do :; done; echo reaped',
        '--init',
      ),
    ).toMatch(/init\nreaped\n$/);
  });

  test('an interactive shell has a terminal of the right size', async () => {
    const result = await engine[client]('run', '--rm', '-t', 'busybox', 'sh', '-c', 'tty; test -t 1 && echo terminal');
    expect(result.stdout).toBe('/dev/pts/0\r\nterminal\r\n');
  });

  test('a detached container prints its id and goes on', async () => {
    const { stdout } = await engine[client]('run', '-d', '--name', `detached-${client}`, 'busybox', 'sleep', '1000');
    expect(stdout).toMatch(/^[0-9a-f]{64}\n$/);
    const ids = (await engine[client]('ps', '-q', '--no-trunc')).stdout;
    expect(ids).toContain(stdout.trim());
    expect((await engine[client]('rm', '-f', stdout.slice(0, 5))).code).toBe(0);
    expect((await engine[client]('ps', '-aq', '--no-trunc')).stdout).not.toContain(stdout.trim());
  });

  test('a missing image that no registry has ends with 125', async () => {
    const result = await run('localhost:1/nosuch', 'true');
    expect(result.code).toBe(125);
    expect(result.stderr).toContain("Unable to find image 'localhost:1/nosuch:latest' locally");
  });
});
