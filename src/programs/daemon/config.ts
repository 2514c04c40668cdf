/**
 * The keys of the engine's configuration: flags of `berth daemon` and the keys of daemon.json, both from one table
 * (https://docs.docker.com/reference/cli/dockerd/#daemon-configuration-file). `read-config.ts` reads them, `check-config.ts` judges
 * the values, `reload.ts` takes them over while the engine runs.
 */
import { join } from 'node:path';

export interface DaemonConfig {
  hosts: string[];
  'data-root': string;
  'exec-root': string;
  pidfile: string;
  'config-file': string;
  bip: string;
  bridge: string;
  dns: string[];
  'dns-opts': string[];
  'dns-search': string[];
  'cdi-spec-dirs': string[];
  'insecure-registries': string[];
  'registry-mirrors': string[];
  group: string;
  debug: boolean;
  'log-level': string;
  'log-format': string;
  'cgroup-parent': string;
  'log-driver': string;
  'log-opts': Record<string, string>;
  'default-runtime': string;
  runtimes: Record<string, { path?: string; runtimeArgs?: string[] }>;
  'default-shm-size': string;
  'default-ulimits': Record<string, { Name?: string; Hard: number; Soft: number }>;
  'default-cgroupns-mode': string;
  'default-ipc-mode': string;
  'default-address-pools': { base: string; size: number }[];
  'no-new-privileges': boolean;
  'seccomp-profile': string;
  init: boolean;
  /** Program that `--init` runs; empty: Berth's own. */
  'init-path': string;
  labels: string[];
  mtu: number;
  icc: boolean;
  ip: string;
  'ip-masq': boolean;
  'ip-forward': boolean;
  'ip-forward-no-drop': boolean;
  iptables: boolean;
  ip6tables: boolean;
  'fixed-cidr': string;
  'default-gateway': string;
  ipv6: boolean;
  bip6: string;
  'fixed-cidr-v6': string;
  'default-gateway-v6': string;
  'default-network-opts': Record<string, Record<string, string>>;
  'host-gateway-ips': string[];
  'allow-direct-routing': boolean;
  'userland-proxy': boolean;
  'max-concurrent-downloads': number;
  'max-concurrent-uploads': number;
  'max-download-attempts': number;
  'shutdown-timeout': number;
  'metrics-addr': string;
  'http-proxy': string;
  'https-proxy': string;
  'no-proxy': string;
  tls: boolean;
  tlsverify: boolean;
  tlscacert: string;
  tlscert: string;
  tlskey: string;
  /** Serve plain TCP without TLS on addresses other than loopback: whoever reaches it is root here. */
  'allow-plain-tcp': boolean;
  /** Docker's `builder`: of it `gc.enabled` and `gc.defaultKeepStorage` (or `defaultReservedSpace`) mean something here. */
  builder: { gc?: { enabled?: boolean; defaultKeepStorage?: string; defaultReservedSpace?: string } };
}

/** `map`: text by name, `object`: a value that only the file can hold, unless the flag has a reader of its own. */
export type Kind = 'string' | 'boolean' | 'number' | 'list' | 'map' | 'object';

export interface Option {
  kind: Kind;
  /** Flag, where it differs from the key or there is none (null). */
  flag?: string | null;
  short?: string;
  /** Refused in daemon.json. */
  flagOnly?: boolean;
  /** SIGHUP takes a new value over. */
  reloadable?: boolean;
  help: string;
}

export const options: Record<keyof DaemonConfig, Option> = {
  hosts: { kind: 'list', flag: 'host', short: 'H', help: 'Daemon socket(s) to connect to' },
  'data-root': { kind: 'string', help: 'Root directory of persistent state' },
  'exec-root': { kind: 'string', help: 'Root directory for state that lives until the next boot' },
  pidfile: { kind: 'string', short: 'p', help: 'Path to use for the daemon PID file' },
  'config-file': { kind: 'string', flagOnly: true, help: 'Daemon configuration file' },
  bip: { kind: 'string', help: 'Address of the default bridge, with prefix length' },
  bridge: { kind: 'string', short: 'b', help: 'Name of the default bridge' },
  dns: { kind: 'list', help: 'DNS server of containers' },
  'dns-opts': { kind: 'list', flag: 'dns-opt', help: 'DNS option of containers' },
  'dns-search': { kind: 'list', help: 'DNS search domain of containers' },
  'insecure-registries': {
    kind: 'list',
    flag: 'insecure-registry',
    reloadable: true,
    help: 'Registry (host:port or CIDR) to use without TLS',
  },
  'registry-mirrors': {
    kind: 'list',
    flag: 'registry-mirror',
    reloadable: true,
    help: 'Preferred mirror of Docker Hub',
  },
  group: { kind: 'string', short: 'G', help: 'Group that may use the unix socket' },
  debug: { kind: 'boolean', short: 'D', reloadable: true, help: 'Enable debug mode' },
  'log-level': { kind: 'string', short: 'l', help: 'Logging level ("debug"|"info"|"warn"|"error"|"fatal")' },
  'log-format': { kind: 'string', help: 'Format of the engine\'s own log ("text"|"json")' },
  'cgroup-parent': { kind: 'string', help: 'Parent cgroup of all containers' },
  'log-driver': { kind: 'string', help: 'Default driver for container logs' },
  'log-opts': { kind: 'map', flag: 'log-opt', help: 'Default log driver options' },
  'default-runtime': { kind: 'string', reloadable: true, help: 'Default OCI runtime' },
  runtimes: { kind: 'object', flag: 'add-runtime', reloadable: true, help: 'Additional OCI runtime: name=path' },
  'default-shm-size': { kind: 'string', help: 'Default size of /dev/shm' },
  'default-ulimits': { kind: 'object', flag: 'default-ulimit', help: 'Default ulimits of containers' },
  'default-cgroupns-mode': { kind: 'string', help: 'Default cgroup namespace mode ("host"|"private")' },
  'default-ipc-mode': { kind: 'string', help: 'Default IPC mode ("shareable"|"private")' },
  'default-address-pools': {
    kind: 'object',
    flag: 'default-address-pool',
    help: 'Pools from which networks get their subnets',
  },
  'no-new-privileges': { kind: 'boolean', help: 'Set no-new-privileges on new containers' },
  'seccomp-profile': { kind: 'string', help: 'Path to a seccomp profile, or "unconfined"' },
  init: { kind: 'boolean', help: 'Run an init in containers' },
  'init-path': { kind: 'string', help: 'Init program of containers (default: a built-in one)' },
  labels: { kind: 'list', flag: 'label', reloadable: true, help: 'Label of the daemon: key=value' },
  mtu: { kind: 'number', help: 'MTU of the default bridge' },
  icc: { kind: 'boolean', help: 'Containers of the default bridge may talk to each other' },
  ip: { kind: 'string', help: 'Address of the host where the default bridge publishes ports that name none' },
  'ip-masq': { kind: 'boolean', help: "Containers of the default bridge leave with the host's address" },
  'ip-forward': { kind: 'boolean', help: 'Turn on forwarding of IPv4, and where a network has it IPv6, in the kernel' },
  'ip-forward-no-drop': { kind: 'boolean', help: 'Do not separate the network cards of a host that did not forward' },
  iptables: { kind: 'boolean', help: 'Write rules of the packet filter' },
  ip6tables: { kind: 'boolean', help: 'Write rules of the packet filter for IPv6' },
  'fixed-cidr': { kind: 'string', help: "Part of the default bridge's subnet that containers get addresses from" },
  'default-gateway': { kind: 'string', help: 'Default gateway of containers on the default bridge' },
  ipv6: { kind: 'boolean', help: 'Containers of the default bridge have IPv6 addresses' },
  bip6: { kind: 'string', help: 'IPv6 address of the default bridge, with the prefix of its subnet' },
  'fixed-cidr-v6': { kind: 'string', help: "IPv6 subnet of the default bridge, or a part of bip6's for containers" },
  'default-gateway-v6': { kind: 'string', help: 'IPv6 default gateway of containers on the default bridge' },
  'default-network-opts': {
    kind: 'object',
    flag: 'default-network-opt',
    help: 'Options of new networks: driver=option=value',
  },
  'host-gateway-ips': { kind: 'list', flag: 'host-gateway-ip', help: 'Address of "host-gateway" in --add-host' },
  'allow-direct-routing': { kind: 'boolean', help: "Let in to published ports at containers' own addresses" },
  'cdi-spec-dirs': { kind: 'list', flag: 'cdi-spec-dir', help: "Directory of vendors' descriptions of devices (CDI)" },
  'userland-proxy': { kind: 'boolean', help: 'Forward ports published at IPv6 addresses' },
  'max-concurrent-downloads': { kind: 'number', reloadable: true, help: 'Concurrent downloads of one pull' },
  'max-concurrent-uploads': { kind: 'number', reloadable: true, help: 'Concurrent uploads of one push' },
  'max-download-attempts': { kind: 'number', reloadable: true, help: 'Attempts per download' },
  'shutdown-timeout': { kind: 'number', reloadable: true, help: 'Seconds that a graceful stop may take' },
  'metrics-addr': { kind: 'string', help: 'Address and port that serve metrics for Prometheus' },
  'http-proxy': { kind: 'string', help: 'Proxy for outgoing http requests' },
  'https-proxy': { kind: 'string', help: 'Proxy for outgoing https requests' },
  'no-proxy': { kind: 'string', help: 'Hosts, comma-separated, that are reached without the proxy' },
  tls: { kind: 'boolean', help: 'Use TLS on TCP; implied by --tlsverify' },
  tlsverify: { kind: 'boolean', help: 'Use TLS on TCP and let in only clients with a certificate of the CA' },
  tlscacert: { kind: 'string', help: 'Certificate authority of clients' },
  tlscert: { kind: 'string', help: "The engine's TLS certificate" },
  tlskey: { kind: 'string', help: 'Key of that certificate' },
  'allow-plain-tcp': { kind: 'boolean', help: 'Serve the API on TCP without TLS beyond loopback' },
  builder: { kind: 'object', flag: null, help: 'How much the build cache may take (gc.defaultKeepStorage, "20GB")' },
};

/** A key of dockerd's that Berth knows, but of which only some values mean something here. */
export interface NarrowOption {
  kind: Kind;
  /** Flag, where it differs from the key or there is none (null). */
  flag?: string | null;
  short?: string;
  /** What may be asked for: it is what the engine does anyway, or does no harm. Absent: whatever is asked for. */
  only?: readonly unknown[];
  /** One line about any other value; absent: not built yet. */
  why?: string;
}

const noSwarm = 'Swarm is not part of Berth; compose and Kubernetes take its place';

/** Whoever builds one of these moves it into `options`. */
export const narrowOptions: Record<string, NarrowOption> = {
  'api-cors-header': {
    kind: 'string',
    only: [''],
    why: 'DEPRECATED: The "api-cors-header" config parameter and the dockerd "--api-cors-header" option have been removed; use a reverse proxy if you need CORS headers',
  },
  'authorization-plugins': {
    kind: 'list',
    flag: 'authorization-plugin',
    only: [[]],
    why: 'plugins of the engine are not part of Berth; the group of the socket and TLS client certificates say who may use it',
  },
  containerd: { kind: 'string' },
  'containerd-namespace': { kind: 'string' },
  'containerd-plugins-namespace': { kind: 'string' },
  'cpu-rt-period': { kind: 'number', only: [0] },
  'cpu-rt-runtime': { kind: 'number', only: [0] },
  'cri-containerd': { kind: 'boolean' },
  'exec-opts': {
    kind: 'list',
    flag: 'exec-opt',
    only: [[], ['native.cgroupdriver=cgroupfs']],
    why: 'Berth makes cgroups itself, so native.cgroupdriver=cgroupfs is the only one; below a unit with Delegate=yes systemd leaves them alone',
  },
  experimental: { kind: 'boolean' },
  features: { kind: 'object', flag: 'feature' },
  'live-restore': { kind: 'boolean' },
  'network-control-plane-mtu': { kind: 'number' },
  'node-generic-resources': { kind: 'list', flag: 'node-generic-resource', only: [[]], why: noSwarm },
  'raw-logs': { kind: 'boolean' },
  'selinux-enabled': { kind: 'boolean', only: [false] },
  'storage-driver': {
    kind: 'string',
    short: 's',
    only: ['', 'overlay2', 'overlayfs', 'overlay'],
    why: 'layers are directories joined by overlay mounts (overlay2), and there is no other driver yet',
  },
  'storage-opts': { kind: 'list', flag: 'storage-opt', only: [[]] },
  'swarm-default-advertise-addr': { kind: 'string', only: [''], why: noSwarm },
  'swarm-raft-election-tick': { kind: 'number', only: [0], why: noSwarm },
  'swarm-raft-heartbeat-tick': { kind: 'number', only: [0], why: noSwarm },
  'userland-proxy-path': { kind: 'string' },
  'userns-remap': { kind: 'string', only: [''] },
};

/** Transfers at a time; 0 stands for dockerd's default. */
export function concurrency(config: DaemonConfig): { downloads: number; uploads: number; attempts: number } {
  return {
    downloads: config['max-concurrent-downloads'] || 3,
    uploads: config['max-concurrent-uploads'] || 5,
    attempts: config['max-download-attempts'] || 5,
  };
}

/** The values without file and flags. @param certificates folder of TLS files that are not named */
export function defaultConfig(certificates: string): DaemonConfig {
  return {
    hosts: [],
    'data-root': '/var/lib/berth',
    'exec-root': '/run/berth',
    pidfile: '/run/berth.pid',
    'config-file': '/etc/berth/daemon.json',
    bip: '',
    bridge: 'berth0',
    dns: [],
    'dns-opts': [],
    'dns-search': [],
    'cdi-spec-dirs': ['/etc/cdi', '/var/run/cdi'],
    'insecure-registries': [],
    'registry-mirrors': [],
    group: 'berth',
    debug: false,
    'log-level': 'info',
    'log-format': 'text',
    'cgroup-parent': '/berth',
    'log-driver': 'json-file',
    'log-opts': {},
    'default-runtime': '',
    runtimes: {},
    'default-shm-size': '64M',
    'default-ulimits': {},
    'default-cgroupns-mode': '',
    'default-ipc-mode': 'private',
    'default-address-pools': [],
    'no-new-privileges': false,
    'seccomp-profile': '',
    init: false,
    'init-path': '',
    labels: [],
    mtu: 1500,
    icc: true,
    ip: '',
    'ip-masq': true,
    'ip-forward': true,
    'ip-forward-no-drop': false,
    iptables: true,
    ip6tables: true,
    'fixed-cidr': '',
    'default-gateway': '',
    ipv6: false,
    bip6: '',
    'fixed-cidr-v6': '',
    'default-gateway-v6': '',
    'default-network-opts': {},
    'host-gateway-ips': [],
    'allow-direct-routing': false,
    'userland-proxy': true,
    'max-concurrent-downloads': 3,
    'max-concurrent-uploads': 5,
    'max-download-attempts': 5,
    'shutdown-timeout': 15,
    'metrics-addr': '',
    'http-proxy': '',
    'https-proxy': '',
    'no-proxy': '',
    tls: false,
    tlsverify: false,
    tlscacert: join(certificates, 'ca.pem'),
    tlscert: join(certificates, 'cert.pem'),
    tlskey: join(certificates, 'key.pem'),
    'allow-plain-tcp': false,
    builder: {},
  };
}
