import { afterAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { narrowOptions, options } from './config.ts';
import { readDaemonArguments } from './read-config.ts';

const folder = mkdtempSync(join(tmpdir(), 'berth-config-'));
afterAll(() => rmSync(folder, { recursive: true }));

function withFile(text: string, ...flags: string[]): () => ReturnType<typeof readDaemonArguments> {
  const file = join(folder, `${crypto.randomUUID()}.json`);
  writeFileSync(file, text);
  return () => readDaemonArguments(['--config-file', file, ...flags]);
}

test('flags give values, lists add up, a default socket stands below the exec root', () => {
  const { config } = withFile('', '--dns=8.8.8.8', '--dns', '1.1.1.1', '--exec-root', '/run/x', '-D')();
  expect(config.dns).toEqual(['8.8.8.8', '1.1.1.1']);
  expect(config.debug).toBe(true);
  expect(config.hosts).toEqual(['unix:///run/x/berth.sock']);
});

test('flags with a grammar of their own', () => {
  const { config } = withFile(
    '',
    ...['--default-ulimit', 'nofile=1:2', '--default-ulimit=core=0', '--add-runtime', 'mine=/bin/true'],
    ...['--default-address-pool', 'base=10.9.0.0/16,size=24', '--log-opt', 'max-size=1m', '--debug=false'],
  )();
  expect(config['default-ulimits']).toEqual({
    nofile: { Name: 'nofile', Soft: 1, Hard: 2 },
    core: { Name: 'core', Soft: 0, Hard: 0 },
  });
  expect(config.runtimes).toEqual({ mine: { path: '/bin/true' } });
  expect(config['default-address-pools']).toEqual([{ base: '10.9.0.0/16', size: 24 }]);
  expect(config['log-opts']).toEqual({ 'max-size': '1m' });
  expect(config.debug).toBe(false);
});

test('the file gives values; what the engine does anyway may be asked for', () => {
  const { config } = withFile(
    `{"bip":"10.0.0.1/16","insecure-registries":["a:5000"],"live-restore":false,"icc":true,"exec-opts":["native.cgroupdriver=cgroupfs"],
      "storage-driver":"overlay2","features":{"buildkit":true},"proxies":{"http-proxy":"http://p:1","no-proxy":"x"},"labels":null}`,
  )();
  expect(config.bip).toBe('10.0.0.1/16');
  expect(config['insecure-registries']).toEqual(['a:5000']);
  expect([config['http-proxy'], config['no-proxy']]).toEqual(['http://p:1', 'x']);
});

test.each([
  [['-H', 'unix://'], 'unix:///run/x/berth.sock'],
  [['-H', '127.0.0.1:5'], 'tcp://127.0.0.1:5'],
  [['-H', 'tcp://'], 'tcp://127.0.0.1:2375'],
  [['-H', 'tcp://:7'], 'tcp://127.0.0.1:7'],
  [['-H', 'tcp://[::1]'], 'tcp://[::1]:2375'],
  [['-H', 'tcp://0.0.0.0', '--tlsverify'], 'tcp://0.0.0.0:2376'],
  [['-H', 'fd://'], 'fd://'],
])('%j listens on %s', (flags, host) => {
  expect(withFile('', '--exec-root', '/run/x', ...flags)().config.hosts).toEqual([host]);
});

test('the file is read anew, flags stay', () => {
  const file = join(folder, 'again.json');
  writeFileSync(file, '{"labels":["a=1"]}');
  const { config, reread } = readDaemonArguments(['--config-file', file, '--shutdown-timeout', '3']);
  writeFileSync(file, '{"labels":["a=2"]}');
  expect(config.labels).toEqual(['a=1']);
  expect(reread()).toEqual({ ...config, labels: ['a=2'] });
});

test('every key that Docker’s users may have is known', () => {
  const keys = `allow-direct-routing api-cors-header bip bip6 bridge builder cdi-spec-dirs cgroup-parent containerd data-root debug
    default-address-pools default-cgroupns-mode default-gateway default-gateway-v6 default-ipc-mode default-network-opts default-runtime
    default-shm-size default-ulimits dns dns-opts dns-search exec-opts exec-root experimental features fixed-cidr fixed-cidr-v6 group
    host-gateway-ips hosts icc init init-path insecure-registries ip ip-forward ip-forward-no-drop ip-masq ip6tables iptables ipv6 labels
    live-restore log-driver log-format log-level log-opts max-concurrent-downloads max-concurrent-uploads max-download-attempts
    metrics-addr mtu no-new-privileges pidfile http-proxy https-proxy no-proxy raw-logs registry-mirrors runtimes seccomp-profile
    selinux-enabled shutdown-timeout storage-driver storage-opts swarm-default-advertise-addr tls tlscacert tlscert tlskey tlsverify
    userland-proxy userns-remap`;
  for (const key of keys.split(/\s+/)) expect([key, key in options || key in narrowOptions]).toEqual([key, true]);
});

describe('what cannot be used stops the start in words that name it', () => {
  test.each([
    ['{"nosuch":1}', [], "the following directives don't match any configuration option: nosuch"],
    ['{"Debug":true}', [], "the following directives don't match any configuration option: Debug"],
    ['{"config-file":"x"}', [], "the following directives don't match any configuration option: config-file"],
    [
      '{"debug":true}',
      ['--debug'],
      'the following directives are specified both as a flag and in the configuration file: debug: (from flag: true, from file: true)',
    ],
    [
      '{"hosts":["tcp://127.0.0.1:1"]}',
      ['-H', 'unix:///x'],
      'hosts: (from flag: [unix:///x], from file: [tcp://127.0.0.1:1])',
    ],
    [
      '{"log-opts":{"max-size":"10m"}}',
      ['--log-opt', 'max-file=3'],
      'log-opts: (from flag: map[max-file:3], from file: map[max-size:10m])',
    ],
    [
      '{"proxies":{"http-proxy":"http://x"}}',
      ['--http-proxy=http://y'],
      'http-proxy: (from flag: http://y, from file: http://x)',
    ],
    ['{"debug":"yes"}', [], 'json: cannot unmarshal string into Go struct field Config.debug of type bool'],
    ['{"hosts":"x"}', [], 'json: cannot unmarshal string into Go struct field Config.hosts of type []string'],
    [
      '{"cgroup-parent":5}',
      [],
      'json: cannot unmarshal number into Go struct field Config.cgroup-parent of type string',
    ],
    ['[1]', [], 'invalid JSON: json: cannot unmarshal array into Go value of type map[string]interface {}'],
    ['{', [], 'invalid JSON: '],
    ['{"userns-remap":"default"}', [], 'the directive userns-remap is known, but Berth does not support it yet'],
    ['{"exec-opts":["native.cgroupdriver=systemd"]}', [], 'native.cgroupdriver=cgroupfs is the only one'],
    ['{"api-cors-header":"x"}', [], 'DEPRECATED: The "api-cors-header" config parameter'],
  ])('%s %j', (text, flags, words) => {
    expect(withFile(text, ...flags)).toThrow(/^unable to configure the Docker daemon with file \/.*\.json: /);
    expect(withFile(text, ...flags)).toThrow(words);
  });

  test.each([
    ['{"labels":["a"]}', 'bad attribute format: a'],
    ['{"labels":["a=1","a=2"]}', 'conflict labels for a=2 and a=1'],
    ['{"log-level":"x"}', 'invalid logging level: x'],
    ['{"log-format":"x"}', 'invalid log format: x'],
    ['{"mtu":-1}', 'invalid default MTU: -1'],
    ['{"max-concurrent-downloads":-1}', 'invalid max concurrent downloads: -1'],
    ['{"registry-mirrors":["x"]}', 'invalid mirror: '],
    ['{"dns":["nope"]}', 'invalid IP address: nope'],
    ['{"default-ipc-mode":"x"}', 'default IPC mode setting (x) is invalid; use "shareable" or "private"'],
    ['{"default-cgroupns-mode":"x"}', 'invalid default cgroup namespace (x): use "host" or "private"'],
    ['{"default-shm-size":"x"}', "invalid size: 'x'"],
    ['{"log-opts":{"foo":"x"}}', "failed to set log opts: unknown log opt 'foo' for json-file log driver"],
    ['{"log-driver":"syslog"}', 'failed to set log opts: log driver syslog is not supported by Berth yet'],
    ['{"hosts":["ftp://x"]}', 'invalid bind address (ftp://x)'],
    ['{"hosts":["tcp://0.0.0.0:2375"]}', 'the API over TCP without TLS gives root to whoever reaches it'],
    ['{"metrics-addr":"x"}', 'invalid metrics-addr'],
  ])('%s', (text, words) => {
    expect(withFile(text)).toThrow('merged configuration validation from file and command line flags failed: ');
    expect(withFile(text)).toThrow(words);
  });

  test.each([
    [['--nosuch'], 'unknown flag: --nosuch'],
    [['-Z'], "unknown shorthand flag: 'Z' in -Z"],
    [['--bip'], 'flag needs an argument: --bip'],
    [['word'], '"berth daemon" accepts no arguments: word'],
    [['--selinux-enabled'], 'the directive selinux-enabled is known, but Berth does not support it yet'],
    [['--default-network-opt', 'bridge'], 'must be key=value'],
    [['--mtu=x'], 'invalid argument "x" for "--mtu" flag: strconv.ParseInt: parsing "x": invalid syntax'],
    [['--debug=x'], 'invalid argument "x" for "--debug" flag: strconv.ParseBool: parsing "x": invalid syntax'],
    [['--log-opt', 'x'], 'invalid argument "x" for "--log-opt" flag: must be key=value'],
    [['--storage-driver=zfs'], '--storage-driver: layers are directories'],
    [['-H', 'tcp://1.2.3.4:1'], 'use --tlsverify, or --allow-plain-tcp'],
  ])('%j', (flags, words) => {
    expect(withFile('', ...flags)).toThrow(words);
  });

  test('a file that is asked for must be there', () => {
    expect(() => readDaemonArguments(['--config-file', join(folder, 'missing')])).toThrow('missing: open ');
    expect(() => readDaemonArguments(['--config-file', join(folder, 'missing')])).toThrow('no such file or directory');
  });
});
