/**
 * Every option of `run` and `create`, and every key of HostConfig and Config, that says how a container is to be: what it does is read inside
 * the container, or it is refused in dockerd's words. Nothing is passed over silently.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEngine, type TestEngine } from '../support/engine.ts';

let engine: TestEngine;
let directory: string;
/** Where vendors' descriptions of devices lie. */
let descriptions: string;
beforeAll(async () => {
  descriptions = await mkdtemp(join(tmpdir(), 'cdi-'));
  engine = await startEngine({ images: ['busybox'], config: { 'cdi-spec-dirs': [descriptions] } });
  directory = engine.identity.notes;
  await Bun.write(join(directory, 'variables'), '# none\nFROM_FILE=1\nTAKEN\n');
  await Bun.write(join(directory, 'labels'), 'from=file\n');
  const profile = {
    defaultAction: 'SCMP_ACT_ALLOW',
    syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO' }],
  };
  await Bun.write(join(directory, 'profile.json'), JSON.stringify(profile));
});
afterAll(async () => {
  await engine.cleanUp();
  await rm(descriptions, { recursive: true });
});

const isVersion2 = existsSync('/sys/fs/cgroup/cgroup.controllers');
const capabilities = /^CapEff:\s+(\w+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';
const maySetResources = (BigInt(`0x${capabilities}`) & (1n << 24n)) !== 0n;

async function anyDisk(): Promise<string> {
  const lines = (await Bun.$`lsblk -bdnro SIZE,PATH,TYPE`.text()).split('\n');
  return lines.find((line) => line.endsWith(' disk') && !line.startsWith('0 '))?.split(' ')[1] as string;
}

/** Options, what runs, what it says. */
type Case = [options: string[], command: string, says: string];

/** Files of the container's own cgroup, by the version that the machine has. */
const limits: Case[] = isVersion2
  ? [
      [['--cpu-shares', '512'], 'cat /sys/fs/cgroup/cpu.weight', '59\n'],
      [['--cpus', '1.5'], 'cat /sys/fs/cgroup/cpu.max', '150000 100000\n'],
      [['--cpu-period', '50000', '--cpu-quota', '25000'], 'cat /sys/fs/cgroup/cpu.max', '25000 50000\n'],
      [['--cpuset-cpus', '0'], 'cat /sys/fs/cgroup/cpuset.cpus', '0\n'],
      [['-m', '64m'], 'cat /sys/fs/cgroup/memory.max', '67108864\n'],
      [['-m', '64m', '--memory-reservation', '32m'], 'cat /sys/fs/cgroup/memory.low', '33554432\n'],
      [['--pids-limit', '50'], 'cat /sys/fs/cgroup/pids.max', '50\n'],
    ]
  : [
      [['--cpu-shares', '512'], 'cat /sys/fs/cgroup/cpu/cpu.shares', '512\n'],
      [['--cpus', '1.5'], 'cd /sys/fs/cgroup/cpu; cat cpu.cfs_quota_us cpu.cfs_period_us', '150000\n100000\n'],
      [
        ['--cpu-period', '50000', '--cpu-quota', '25000'],
        'cd /sys/fs/cgroup/cpu; cat cpu.cfs_quota_us cpu.cfs_period_us',
        '25000\n50000\n',
      ],
      [['--cpu-quota', '-1'], 'cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us', '-1\n'],
      [['--cpuset-cpus', '0', '--cpuset-mems', '0'], 'cd /sys/fs/cgroup/cpuset; cat cpuset.cpus cpuset.mems', '0\n0\n'],
      [
        ['-m', '64m'],
        'cd /sys/fs/cgroup/memory; cat memory.limit_in_bytes memory.memsw.limit_in_bytes',
        '67108864\n134217728\n',
      ],
      [['-m', '64m', '--memory-swap', '96m'], 'cat /sys/fs/cgroup/memory/memory.memsw.limit_in_bytes', '100663296\n'],
      [
        ['-m', '64m', '--memory-swap', '-1'],
        'cat /sys/fs/cgroup/memory/memory.memsw.limit_in_bytes',
        '9223372036854771712\n',
      ],
      [['--memory-reservation', '32m'], 'cat /sys/fs/cgroup/memory/memory.soft_limit_in_bytes', '33554432\n'],
      [['--memory-swappiness', '30'], 'cat /sys/fs/cgroup/memory/memory.swappiness', '30\n'],
      [
        ['-m', '64m', '--oom-kill-disable'],
        'grep oom_kill_disable /sys/fs/cgroup/memory/memory.oom_control',
        'oom_kill_disable 1\n',
      ],
      [['--pids-limit', '50'], 'cat /sys/fs/cgroup/pids/pids.max', '50\n'],
      [['--pids-limit', '-1'], 'cat /sys/fs/cgroup/pids/pids.max', 'max\n'],
      [['--device-cgroup-rule', 'c 10:201 rwm'], 'grep 10:201 /sys/fs/cgroup/devices/devices.list', 'c 10:201 rwm\n'],
      [['--privileged'], 'cat /sys/fs/cgroup/devices/devices.list', 'a *:* rwm\n'],
    ];

const settings: Case[] = [
  [['--device', '/dev/null:/dev/nothing'], 'test -c /dev/nothing && cat /dev/nothing && echo yes', 'yes\n'],
  [['--group-add', '9', '--group-add', '77'], 'id -G', '0 9 77\n'],
  [['--ipc', 'none'], 'grep -c " /dev/shm " /proc/mounts; true', '0\n'],
  [['--ipc', 'private', '--shm-size', '1m'], 'df -k /dev/shm | tail -n 1 | awk "{print \\$2}"', '1024\n'],
  [['--pid', 'host'], 'test $$ -gt 1 && echo far', 'far\n'],
  [['--cgroupns', 'private'], 'cut -d : -f 3 /proc/self/cgroup | sort -u', '/\n'],
  [['--userns', 'host'], 'cat /proc/self/uid_map | tr -s " "', ' 0 0 4294967295\n'],
  [['--sysctl', 'net.core.somaxconn=111'], 'cat /proc/sys/net/core/somaxconn', '111\n'],
  [['--sysctl', 'kernel.shmmax=4096'], 'cat /proc/sys/kernel/shmmax', '4096\n'],
  [['--oom-score-adj', '200'], 'cat /proc/self/oom_score_adj', '200\n'],
  [['--security-opt', 'no-new-privileges'], 'grep NoNewPrivs /proc/self/status', 'NoNewPrivs:\t1\n'],
  [['--security-opt', 'no-new-privileges:false'], 'grep NoNewPrivs /proc/self/status', 'NoNewPrivs:\t0\n'],
  [['--security-opt', 'seccomp=unconfined'], 'grep Seccomp: /proc/self/status', 'Seccomp:\t0\n'],
  [['--security-opt', 'seccomp=builtin'], 'grep Seccomp: /proc/self/status', 'Seccomp:\t2\n'],
  [['--security-opt', 'systempaths=unconfined'], 'grep -c " /proc/" /proc/mounts; true', '0\n'],
  [['--security-opt', 'label=disable', '--security-opt', 'apparmor=unconfined'], 'echo runs', 'runs\n'],
  [['--ulimit', 'nofile=100:200', '--ulimit', 'core=0'], 'ulimit -Sn; ulimit -Hn; ulimit -c', '100\n200\n0\n'],
  [['--cap-drop', 'ALL'], 'grep CapEff /proc/self/status', 'CapEff:\t0000000000000000\n'],
  [['--cap-drop', 'ALL', '--cap-add', 'net_raw'], 'grep CapEff /proc/self/status', 'CapEff:\t0000000000002000\n'],
  [
    ['--read-only', '--tmpfs', '/t'],
    'touch /x 2>/dev/null || echo refused; touch /t/x && echo taken',
    'refused\ntaken\n',
  ],
  [
    ['--tmpfs', '/t:size=1m,mode=700,uid=5'],
    'stat -c "%a %u" /t; df -k /t | tail -n 1 | awk "{print \\$2}"',
    '700 5\n1024\n',
  ],
  [['-u', '1000:1001', '-w', '/a/b', '-e', 'A=1'], 'id -u; id -g; pwd; echo $A', '1000\n1001\n/a/b\n1\n'],
  [['-u', '4321'], 'echo $HOME', '/\n'],
  [['-u', 'root'], 'echo $HOME', '/root\n'],
  [['-u', '4321', '-e', 'HOME=/x'], 'echo $HOME', '/x\n'],
  [['-h', 'h', '--domainname', 'd.test'], 'hostname; cat /proc/sys/kernel/domainname', 'h\nd.test\n'],
  [['--init'], 'tr "\\0" " " < /proc/1/cmdline | cut -d " " -f 1', '/sbin/docker-init\n'],
  [
    ['--annotation', 'a=b', '--isolation', 'default', '--platform', 'linux/amd64', '--pull', 'never'],
    'echo runs',
    'runs\n',
  ],
  [
    ['--disable-content-trust', '--cpu-count', '2', '--expose', '80-82/udp', '--stop-timeout', '3'],
    'echo runs',
    'runs\n',
  ],
];

describe('works', () => {
  test.each([...limits, ...settings])('%p: %s', async (options, command, says) => {
    const result = await engine.berth('run', '--rm', ...options, 'busybox', 'sh', '-c', command);
    expect(result).toEqual({ code: 0, stdout: says, stderr: '' });
  });

  test('files: variables, labels, the id, a seccomp profile', async () => {
    const file = (name: string): string => join(directory, name);
    const result = await engine.berthWith(
      { env: { TAKEN: 'over' } },
      ...['run', '--name', 'files', '--env-file', file('variables'), '--label-file', file('labels')],
      ...['--cidfile', file('id'), '--security-opt', `seccomp=${file('profile.json')}`],
      ...['busybox', 'sh', '-c', 'echo $FROM_FILE $TAKEN; mkdir /x 2>/dev/null || echo refused'],
    );
    expect(result).toEqual({ code: 0, stdout: '1 over\nrefused\n', stderr: '' });
    const { Id, Config, HostConfig } = await engine.inspect('files');
    expect([Config.Labels.from, HostConfig.ContainerIDFile]).toEqual(['file', file('id')]);
    expect(await Bun.file(file('id')).text()).toBe(Id);
    const again = await engine.berth('run', '--cidfile', file('id'), 'busybox');
    expect(again.stderr).toContain('container ID file found, make sure the other container');
    await engine.ok('rm', 'files');
  });

  test("another container's namespaces and volumes", async () => {
    await engine.ok('run', '-d', '--name', 'lender', '--ipc', 'shareable', '-v', '/data', 'busybox', 'sleep', '1000');
    await engine.ok('exec', 'lender', 'sh', '-c', 'echo kept > /data/f; echo shared > /dev/shm/f');
    const guest = await engine.ok(
      ...['run', '--rm', '--pid', 'container:lender', '--ipc', 'container:lender', '--network', 'container:lender'],
      ...['--volumes-from', 'lender:ro', 'busybox', 'sh', '-c'],
      'cat /data/f /dev/shm/f; grep -c sleep /proc/1/cmdline; hostname; touch /data/x 2>/dev/null || echo read-only',
    );
    const name = (await engine.inspect('lender')).Config.Hostname;
    expect(guest).toBe(`kept\nshared\n1\n${name}\nread-only`);
    await engine.ok('rm', '-fv', 'lender');
  });

  test('block devices are limited by their numbers', async () => {
    const device = await anyDisk();
    const wish = [{ Path: device, Rate: 1_048_576 }];
    const made = await engine.request('POST', '/containers/create?name=blocks', {
      ...{ Image: 'busybox', Cmd: ['sleep', '1000'] },
      HostConfig: {
        BlkioDeviceReadBps: wish,
        BlkioDeviceWriteBps: wish,
        BlkioDeviceReadIOps: wish,
        BlkioDeviceWriteIOps: wish,
      },
    });
    expect(made.status).toBe(201);
    await engine.ok('start', 'blocks');
    const files = isVersion2
      ? 'cat /sys/fs/cgroup/io.max'
      : 'cd /sys/fs/cgroup/blkio; cat blkio.throttle.read_bps_device blkio.throttle.write_iops_device';
    expect(await engine.ok('exec', 'blocks', 'sh', '-c', files)).toContain('1048576');
    await engine.ok('rm', '-f', 'blocks');
  });

  test('a device may be given to be read alone', async () => {
    const command = 'test -b /dev/disk && echo there; (: >> /dev/disk) 2>/dev/null || echo refused';
    const given = ['--device', `${await anyDisk()}:/dev/disk:r`];
    expect(await engine.ok('run', '--rm', ...given, 'busybox', 'sh', '-c', command)).toBe('there\nrefused');
  });

  test("devices by name come with all that their vendor's description says", async () => {
    const seen = join(descriptions, 'seen');
    const edits = {
      env: ['CARD=zero'],
      deviceNodes: [{ path: '/dev/card', hostPath: '/dev/zero' }],
      mounts: [{ hostPath: '/etc/hostname', containerPath: '/vendor/name', options: ['ro', 'bind'] }],
      hooks: [{ hookName: 'createRuntime', path: '/bin/sh', args: ['sh', '-c', `echo ran > ${seen}`] }],
    };
    const description = {
      cdiVersion: '0.6.0',
      kind: 'nvidia.com/gpu',
      devices: [{ name: 'all', containerEdits: edits }],
    };
    await Bun.write(join(descriptions, 'card.json'), JSON.stringify(description));
    const command = 'echo $CARD; head -c 3 /dev/card | wc -c; cat /vendor/name';
    const name = (await Bun.file('/etc/hostname').text()).trim();
    for (const option of [
      ['--device', 'nvidia.com/gpu=all'],
      ['--gpus', 'all'],
    ]) {
      expect(await engine.ok('run', '--rm', ...option, 'busybox', 'sh', '-c', command)).toBe(`zero\n3\n${name}`);
      expect(await Bun.file(seen).text()).toBe('ran\n');
      await rm(seen);
    }
    expect(await engine.ok('info', '--format', '{{json .CDISpecDirs}}')).toBe(JSON.stringify([descriptions]));
    await rm(join(descriptions, 'card.json'));
  });

  test('the socket of the engine, and the credentials for registries', async () => {
    const config = join(directory, 'client', 'config.json');
    const auth = Buffer.from('me:secret').toString('base64');
    await Bun.write(config, JSON.stringify({ auths: { 'registry.test': { auth } } }));
    const command =
      'test -S /var/run/docker.sock && cat $DOCKER_CONFIG/config.json; stat -c %a $DOCKER_CONFIG/config.json';
    const told = await engine.ok('run', '--rm', '--use-api-socket', 'busybox', 'sh', '-c', command);
    expect(told).toBe(`${JSON.stringify({ auths: { 'registry.test': { auth } } })}600`);
    await rm(config);
  });

  test('what is cut for want of rights is said', async () => {
    const made = await engine.berth(
      'create',
      '--name',
      'cut',
      '--ulimit',
      'nofile=-1',
      '--oom-score-adj',
      '-900',
      'busybox',
    );
    expect(made.code).toBe(0);
    if (maySetResources) expect(made.stderr).toBe('');
    else expect(made.stderr).toMatch(/^WARNING: The engine runs without CAP_SYS_RESOURCE\..*nofile.*\n.*OOM score/);
    await engine.ok('rm', 'cut');
  });
});

describe('is refused by the command line or the engine, in dockerd’s words', () => {
  const cases: [string[], string][] = [
    [['--gpus', 'all'], 'could not select device driver "" with capabilities: [[gpu]]'],
    [['--device', 'vendor.com/gpu=0'], 'CDI device injection failed: unresolvable CDI devices vendor.com/gpu=0'],
    [
      ['--device', '/dev/nope'],
      'error gathering device information while adding custom device "/dev/nope": no such file or directory',
    ],
    [['--device', '/dev/null:/dev/x:q'], 'bad mode specified: q'],
    [['--device-cgroup-rule', 'c 1:1 q'], 'invalid device cgroup format'],
    [['--device-read-bps', '/dev/nope:1mb'], 'stat /dev/nope: no such file or directory'],
    [['--cpus', '99'], 'range of CPUs is from 0.01 to'],
    [['--cpuset-cpus', '99'], 'Requested CPUs are not available - requested 99, available: 0'],
    [['-m', '1m'], 'Minimum memory limit allowed is 6MB'],
    [['--memory-swap', '64m'], 'You should always set the Memory limit when using Memoryswap limit, see usage'],
    [['--memory-swappiness', '101'], 'Valid memory swappiness range is 0-100'],
    [['--ipc', 'odd'], 'invalid IPC mode: odd'],
    [['--ipc', 'container:nope'], 'No such container: nope'],
    [['--pid', 'odd'], '--pid: invalid PID mode'],
    [['--uts', 'host', '-h', 'x'], 'conflicting options: hostname and the UTS mode'],
    [['--cgroupns', 'odd'], '--cgroupns: invalid CGROUP mode'],
    [['--userns', 'odd'], '--userns: invalid USER mode'],
    [['--sysctl', 'vm.swappiness=3'], "sysctl 'vm.swappiness=3' is not allowed"],
    [['--oom-score-adj', '2000'], 'Invalid value 2000, range for oom score adj is [-1000, 1000]'],
    [['--stop-signal', 'SIGFOO'], 'invalid signal: SIGFOO'],
    [['--runtime', 'odd'], 'unknown or invalid runtime name: odd'],
    [['--isolation', 'hyperv'], "invalid isolation (hyperv): linux only supports 'default'"],
    [['--storage-opt', 'size=1G'], "--storage-opt is supported only for overlay over xfs with 'pquota' mount option"],
    [['--security-opt', 'odd=x'], 'invalid --security-opt 2: "odd=x"'],
    [
      ['--security-opt', 'seccomp=/nope'],
      'opening seccomp profile (/nope) failed: open /nope: no such file or directory',
    ],
    [['--ulimit', 'nofile=300:200'], 'ulimit soft limit must be less than or equal to hard limit: 300 > 200'],
    [['--cap-add', 'ODD'], 'invalid CapAdd: unknown capability: "CAP_ODD"'],
    [['--restart', 'always', '--rm'], 'conflicting options: cannot specify both --restart and --rm'],
    [['--log-driver', 'odd'], 'plugin "odd" not found'],
    [['--network', 'container:nope'], 'No such container: nope'],
    [['--env-file', '/nope'], 'open /nope: no such file or directory'],
  ];
  test.each(cases)('%p', async (options, message) => {
    const result = await engine.berth('run', '--rm', ...options, 'busybox', 'true');
    expect(result.code).toBeGreaterThanOrEqual(125);
    expect(result.stderr).toContain(message);
    expect(result.stderr).not.toContain('Unable to find image');
  });

  test('nothing is left of any of them', async () => {
    expect(await engine.ok('ps', '-aq')).toBe('');
  });
});

describe('at the API', () => {
  const host = (HostConfig: Record<string, unknown>): Record<string, unknown> => ({
    Image: 'busybox',
    Cmd: ['true'],
    HostConfig,
  });

  const refused: [Record<string, unknown>, number, string][] = [
    [host({ KernelMemoryTCP: 1 }), 201, ''],
    [host({ IOMaximumIOps: 3 }), 400, 'invalid option: QoS maximum IOPs configuration is not supported on linux'],
    [
      host({ IOMaximumBandwidth: 3 }),
      400,
      'invalid option: QoS maximum bandwidth configuration is not supported on linux',
    ],
    [host({ Isolation: 'process' }), 400, "invalid isolation (process): linux only supports 'default'"],
    [host({ CpuShares: -1 }), 400, 'invalid CPU shares (-1): value must be a positive integer'],
    [host({ UsernsMode: 'odd' }), 400, 'invalid user namespace mode: odd'],
    [host({ StorageOpt: { size: '1G' } }), 500, '--storage-opt is supported only for overlay over xfs'],
    [{ Image: 'busybox', WorkingDir: 'rel' }, 400, "the working directory 'rel' is invalid"],
  ];
  test.each(refused)('%j is answered with %p', async (body, status, message) => {
    const answer = await engine.request('POST', '/containers/create', body);
    expect(await answer.text()).toContain(message);
    expect(answer.status).toBe(status);
    await engine.removeContainers();
  });

  const atStart: [Record<string, unknown>, string][] = [
    [
      { DeviceRequests: [{ Driver: 'nvidia', Count: -1, Capabilities: [['gpu']] }] },
      'could not select device driver "nvidia" with capabilities: [[gpu]]',
    ],
    [
      { DeviceRequests: [{ Driver: 'cdi', DeviceIDs: ['v.com/c=x'] }] },
      'CDI device injection failed: unresolvable CDI devices v.com/c=x',
    ],
    [
      { SecurityOpt: ['seccomp=x'] },
      "Decoding seccomp profile failed: invalid character 'x' looking for beginning of value",
    ],
    [{ NetworkMode: 'container:nope' }, 'joining network namespace of container: No such container: nope'],
    [{ BlkioDeviceReadBps: [{ Path: '/dev/nope', Rate: 5 }] }, 'stat /dev/nope: no such file or directory'],
  ];
  test.each(atStart)('%j is refused by the start', async (HostConfig, message) => {
    const { Id } = (await (await engine.request('POST', '/containers/create', host(HostConfig))).json()) as {
      Id: string;
    };
    const answer = await engine.request('POST', `/containers/${Id}/start`);
    expect([answer.status, ((await answer.json()) as { message: string }).message]).toEqual([500, message]);
    await engine.removeContainers();
  });

  test('ports of a container in the network of the host are discarded with a warning', async () => {
    const body = host({ NetworkMode: 'host', PortBindings: { '80/tcp': [{ HostPort: '8080' }] } });
    const answer = await engine.request('POST', '/containers/create', body);
    expect(((await answer.json()) as { Warnings: string[] }).Warnings).toEqual([
      'Published ports are discarded when using host network mode',
    ]);
    await engine.removeContainers();
  });

  test('a profile that says nothing filters nothing', async () => {
    const body = { ...host({ SecurityOpt: ['seccomp={}'] }), Cmd: ['grep', '-q', 'Seccomp:.0', '/proc/self/status'] };
    const { Id } = (await (await engine.request('POST', '/containers/create', body)).json()) as { Id: string };
    expect((await engine.request('POST', `/containers/${Id}/start`)).status).toBe(204);
    expect(await engine.ok('wait', Id)).toBe('0');
    await engine.removeContainers();
  });
});
