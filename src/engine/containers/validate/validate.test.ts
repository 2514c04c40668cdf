import { describe, expect, test } from 'bun:test';
import { BerthError } from '../../../api/errors.ts';
import type { ContainerConfig, HostConfig } from '../../../api/types/container.ts';
import type { CgroupFacts } from '../../../host/cgroup/detect.ts';
import { testConfig, testHostConfig } from '../fake-engine.ts';
import { kernelCapabilities } from '../spec/capabilities.ts';
import { checkModes, checkSettings } from './config.ts';
import { checkResources } from './resources.ts';

/** Texts of dockerd 28.5.2. */
const settingsCases: [Partial<ContainerConfig>, Partial<HostConfig>, string][] = [
  [{}, { NetworkMode: 'container:' }, 'invalid network mode: invalid container format container:<name|id>'],
  [{ Hostname: 'x' }, { NetworkMode: 'container:a' }, 'conflicting options: hostname and the network mode'],
  [{}, { NetworkMode: 'container:a', Dns: ['1.1.1.1'] }, 'conflicting options: dns and the network mode'],
  [
    {},
    { NetworkMode: 'container:a', ExtraHosts: ['a:1.1.1.1'] },
    'conflicting options: custom host-to-IP mapping and the network mode',
  ],
  [
    {},
    { NetworkMode: 'container:a', PortBindings: { '80/tcp': [] } },
    'conflicting options: port publishing and the container type network mode',
  ],
  [
    { ExposedPorts: { '80/tcp': {} } },
    { NetworkMode: 'container:a' },
    'conflicting options: port exposing and the container type network mode',
  ],
  [{}, { UTSMode: 'x' }, 'invalid UTS mode: x'],
  [{ Hostname: 'x' }, { UTSMode: 'host' }, 'conflicting options: hostname and the UTS mode'],
  [{}, { Isolation: 'hyperv' }, "invalid isolation (hyperv): linux only supports 'default'"],
  [{}, { IpcMode: 'x' }, 'invalid IPC mode: x'],
  [{}, { PidMode: 'x' }, 'invalid PID mode: x'],
  [{}, { CgroupnsMode: 'x' }, 'invalid cgroup namespace mode: x'],
  [{}, { OomScoreAdj: 5000 }, 'Invalid value 5000, range for oom score adj is [-1000, 1000]'],
  [{}, { ShmSize: -1 }, 'SHM size can not be less than 0'],
  [{}, { CapAdd: ['FOO'] }, 'invalid CapAdd: unknown capability: "CAP_FOO"'],
  [{}, { Runtime: 'nope' }, 'unknown or invalid runtime name: nope'],
  [{}, { ExtraHosts: ['x'] }, 'bad format for add-host: "x"'],
  [{}, { ExtraHosts: ['x:y'] }, 'invalid IP address in add-host: "y"'],
  [{}, { PortBindings: { '80000/tcp': [] } }, 'invalid port specification: "80000"'],
  [{}, { PortBindings: { '80/tcp': [{ HostIp: '', HostPort: 'x' }] } }, 'invalid port specification: "x"'],
  [
    {},
    { RestartPolicy: { Name: 'x', MaximumRetryCount: 0 } },
    "invalid restart policy: unknown policy 'x'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'",
  ],
  [
    {},
    { RestartPolicy: { Name: 'always', MaximumRetryCount: 3 } },
    "invalid restart policy: maximum retry count can only be used with 'on-failure'",
  ],
  [
    {},
    { RestartPolicy: { Name: 'on-failure', MaximumRetryCount: -3 } },
    'invalid restart policy: maximum retry count cannot be negative',
  ],
  [
    {},
    { RestartPolicy: { Name: 'always', MaximumRetryCount: 0 }, AutoRemove: true },
    "can't create 'AutoRemove' container with restart policy",
  ],
  [{}, { Annotations: { '': 'x' } }, 'invalid Annotations: the empty string is not permitted as an annotation key'],
  [{ Env: ['=x'] }, {}, 'invalid environment variable: =x'],
  [{ Env: [''] }, {}, 'invalid environment variable: '],
  [{ Cmd: ['a\0b'] }, {}, 'contains a NUL byte'],
  [{ WorkingDir: 'rel' }, {}, "the working directory 'rel' is invalid, it needs to be an absolute path"],
  [{ StopSignal: 'FOO' }, {}, 'invalid signal: FOO'],
  [{ Healthcheck: { Test: ['CMD', 'x'], Interval: 1 } }, {}, 'Interval in Healthcheck cannot be less than 1ms'],
];

describe('settings', () => {
  const facts = { availableCapabilities: new Set(kernelCapabilities), hasRuntime: () => false };
  for (const [config, host, message] of settingsCases) {
    test(message || 'empty', () => {
      const run = (): void => {
        checkModes(testConfig(config), testHostConfig(host));
        checkSettings(testConfig(config), testHostConfig(host), facts);
      };
      expect(run).toThrow(BerthError);
      expect(run).toThrow(message);
    });
  }
  test('a plain request passes', () => {
    checkModes(testConfig(), testHostConfig());
    checkSettings(testConfig({ StopSignal: 'SIGRTMIN+3', Env: ['A=', 'B'] }), testHostConfig(), facts);
  });
});

const everything: CgroupFacts = {
  version: 1,
  hybrid: false,
  controllers: new Map(),
  memoryLimit: true,
  swapLimit: true,
  memoryReservation: true,
  swappiness: true,
  oomKillDisable: true,
  cpuShares: true,
  cpuQuota: true,
  cpuRealtime: true,
  cpuset: true,
  pids: true,
  blkioWeight: true,
  blkioThrottle: true,
};
const machine = { cgroup: everything, cpus: 2, onlineCpus: '0-1', onlineMemoryNodes: '0' };

const resourceCases: [Partial<HostConfig>, string][] = [
  [{ Memory: 1000 }, 'Minimum memory limit allowed is 6MB'],
  [
    { Memory: 8_000_000, MemorySwap: 7_000_000 },
    'Minimum memoryswap limit should be larger than memory limit, see usage',
  ],
  [{ MemorySwap: 7_000_000 }, 'You should always set the Memory limit when using Memoryswap limit, see usage'],
  [
    { Memory: 8_000_000, MemoryReservation: 9_000_000 },
    'Minimum memory limit can not be less than memory reservation limit, see usage',
  ],
  [{ MemoryReservation: 1000 }, 'Minimum memory reservation allowed is 6MB'],
  [{ MemorySwappiness: 101 }, 'Invalid value: 101, valid memory swappiness range is 0-100'],
  [{ NanoCpus: 9e9 }, 'range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available'],
  [{ NanoCpus: -1 }, 'range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available'],
  [{ NanoCpus: 1e6, CpuQuota: 5000 }, 'Conflicting options: Nano CPUs and CPU Quota cannot both be set'],
  [{ NanoCpus: 1e6, CpuPeriod: 5000 }, 'Conflicting options: Nano CPUs and CPU Period cannot both be set'],
  [{ CpuPeriod: 10 }, 'CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)'],
  [{ CpuQuota: 10 }, 'CPU cfs quota can not be less than 1ms (i.e. 1000)'],
  [{ CpuShares: -1 }, 'invalid CPU shares (-1): value must be a positive integer'],
  [{ CpusetCpus: '9' }, 'Requested CPUs are not available - requested 9, available: 0-1'],
  [{ CpusetCpus: 'a' }, 'Invalid value a for cpuset cpus: invalid format: a'],
  [{ CpusetCpus: '0-99999999' }, 'Invalid value 0-99999999 for cpuset cpus: invalid format: 0-99999999'],
  [{ CpusetMems: '7' }, 'Requested memory nodes are not available - requested 7, available: 0'],
  [{ BlkioWeight: 5 }, 'Range of blkio weight is from 10 to 1000'],
];

describe('resources', () => {
  for (const [host, message] of resourceCases)
    test(message, () => expect(() => checkResources(testHostConfig(host), machine)).toThrow(message));

  test('what the machine cannot do is dropped with a warning', () => {
    const nothing = Object.fromEntries(
      Object.entries(everything).map(([key, value]) => [key, value === true ? false : value]),
    ) as unknown as CgroupFacts;
    const host = testHostConfig({
      Memory: 8_000_000,
      MemorySwappiness: 10,
      PidsLimit: 5,
      CpuShares: 7,
      CpusetCpus: '0',
      BlkioWeight: 100,
      OomKillDisable: true,
    });
    const warnings = checkResources(host, { ...machine, cgroup: nothing });
    expect(warnings.length).toBe(7);
    expect([host.Memory, host.MemorySwappiness, host.PidsLimit, host.CpuShares, host.CpusetCpus]).toEqual([
      0,
      null,
      null,
      0,
      '',
    ]);
  });

  test('numbers beyond 2^53 are compared exactly', () => {
    const host = testHostConfig({ Memory: 2n ** 53n + 1n, MemorySwap: 2n ** 53n });
    expect(() => checkResources(host, machine)).toThrow('Minimum memoryswap limit');
  });
});
