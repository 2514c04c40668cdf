/** Each key of daemon.json that the engine takes is seen where it works. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { readFileSync, statSync } from 'node:fs';
import { startEngine, type TestEngine } from '../support/engine.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startEngine({
    images: ['busybox'],
    config: {
      dns: ['192.0.2.7'],
      'dns-opts': ['ndots:3'],
      'dns-search': ['corp.example'],
      'default-shm-size': '32M',
      'default-ulimits': { nofile: { Name: 'nofile', Soft: 500, Hard: 900 } },
      'default-ipc-mode': 'shareable',
      'default-cgroupns-mode': 'private',
      'default-runtime': 'mine',
      runtimes: { mine: { path: '/usr/bin/crun' } },
      'default-address-pools': [{ base: '10.206.0.0/16', size: 26 }],
      'no-new-privileges': true,
      init: true,
      'init-path': '/bin/busybox',
      labels: ['rack=7'],
      group: 'daemon',
      'log-driver': 'json-file',
      'log-opts': { 'max-size': '3m', labels: 'team' },
      mtu: 1400,
      'insecure-registries': ['plain.example:5000', '192.0.2.0/24'],
      'registry-mirrors': ['https://mirror.example'],
      'seccomp-profile': 'unconfined',
      proxies: { 'https-proxy': 'http://user:secret@proxy.example:3128', 'no-proxy': 'local.example' },
      'live-restore': true,
      features: { buildkit: true },
      'storage-driver': 'overlay2',
      'shutdown-timeout': 5,
    },
  });
});
afterAll(() => engine.cleanUp());

test('inside a container', async () => {
  const script = `grep -v '^#' /etc/resolv.conf; df -k /dev/shm | tail -n 1 | awk '{print $2}'; ulimit -Sn; ulimit -Hn
    grep -E 'NoNewPrivs|Seccomp:' /proc/self/status; cat /sys/class/net/eth0/mtu; cat /proc/1/cgroup | head -n 1 | cut -d: -f3`;
  const lines = (await engine.ok('run', '--rm', '--init=false', 'busybox', 'sh', '-c', script)).split('\n');
  expect(lines).toContain('nameserver 192.0.2.7');
  expect(lines).toContain('search corp.example');
  expect(lines).toContain('options ndots:3');
  expect(lines.slice(-7)).toEqual(['32768', '500', '900', 'NoNewPrivs:\t1', 'Seccomp:\t0', '1400', '/']);
});

test('in its inspection', async () => {
  await engine.ok('create', '--name', 'made', 'busybox', 'true');
  const { HostConfig } = await engine.inspect('made');
  expect(HostConfig).toMatchObject({
    ...{ IpcMode: 'shareable', CgroupnsMode: 'private', Runtime: 'mine', ShmSize: 32 << 20 },
    LogConfig: { Type: 'json-file', Config: { 'max-size': '3m', labels: 'team' } },
  });
  await engine.ok('rm', 'made');
});

test('the init of the configuration is process 1', async () => {
  // busybox by the name of an init looks for an applet of that name; that it is the one that runs is what counts.
  const { stderr, stdout } = await engine.berth('run', '--rm', 'busybox', 'true');
  expect(stderr + stdout).toContain('applet not found');
});

test('subnets of networks, and the engine itself', async () => {
  await engine.ok('network', 'create', 'pooled');
  expect(await engine.ok('network', 'inspect', '-f', '{{(index .IPAM.Config 0).Subnet}}', 'pooled')).toMatch(
    /^10\.206\.\d+\.\d+\/26$/,
  );
  await engine.ok('network', 'rm', 'pooled');
  const info = (await (await engine.request('GET', '/info')).json()) as {
    RegistryConfig: { InsecureRegistryCIDRs: string[] };
  };
  expect(info).toMatchObject({
    ...{ Labels: ['rack=7'], DefaultRuntime: 'mine', LoggingDriver: 'json-file', NoProxy: 'local.example' },
    // Whoever may ask for this need not know the password.
    HttpsProxy: 'http://xxxxx:xxxxx@proxy.example:3128',
    DefaultAddressPools: [{ Base: '10.206.0.0/16', Size: 26 }],
    RegistryConfig: { Mirrors: ['https://mirror.example/'] },
  });
  expect(info.RegistryConfig.InsecureRegistryCIDRs).toContain('192.0.2.0/24');
  const { gid } = statSync(engine.identity.socket);
  expect(readFileSync('/etc/group', 'utf8')).toMatch(new RegExp(`^daemon:[^:]*:${gid}:`, 'm'));
  expect(Number(readFileSync(engine.identity.pidfile, 'utf8'))).toBe(engine.pid);
});
