/**
 * The engine's configuration: flags of `berth daemon` and the keys of daemon.json, both from one table
 * (https://docs.docker.com/reference/cli/dockerd/#daemon-configuration-file). A key in file and flag at once, or an unknown
 * key, stops the start in dockerd's words.
 */
import { readFileSync } from 'node:fs';
import { BerthError } from '../../api/errors.ts';

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
  'insecure-registries': string[];
  'registry-mirrors': string[];
  group: string;
  debug: boolean;
  'log-level': string;
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
  labels: string[];
  mtu: number;
  'max-concurrent-downloads': number;
  'max-concurrent-uploads': number;
  'max-download-attempts': number;
  'shutdown-timeout': number;
  /** Serve plain TCP without TLS on addresses other than loopback: whoever reaches it is root here. */
  'allow-plain-tcp': boolean;
}

type Kind = 'string' | 'boolean' | 'number' | 'list' | 'object';

interface Option {
  kind: Kind;
  /** Flag, where it differs from the key or there is none (null). */
  flag?: string | null;
  short?: string;
  /** Refused in daemon.json. */
  flagOnly?: boolean;
  help: string;
}

const options: Record<keyof DaemonConfig, Option> = {
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
    help: 'Registry (host:port or CIDR) to use without TLS',
  },
  'registry-mirrors': { kind: 'list', flag: 'registry-mirror', help: 'Preferred mirror of Docker Hub' },
  group: { kind: 'string', short: 'G', help: 'Group that may use the unix socket' },
  debug: { kind: 'boolean', short: 'D', help: 'Enable debug mode' },
  'log-level': { kind: 'string', short: 'l', help: 'Logging level ("debug"|"info"|"warn"|"error"|"fatal")' },
  'cgroup-parent': { kind: 'string', help: 'Parent cgroup of all containers' },
  'log-driver': { kind: 'string', help: 'Default driver for container logs' },
  'log-opts': { kind: 'object', flag: 'log-opt', help: 'Default log driver options' },
  'default-runtime': { kind: 'string', help: 'Default OCI runtime' },
  runtimes: { kind: 'object', flag: 'add-runtime', help: 'Additional OCI runtime: name=path' },
  'default-shm-size': { kind: 'string', help: 'Default size of /dev/shm' },
  'default-ulimits': { kind: 'object', flag: null, help: 'Default ulimits of containers' },
  'default-cgroupns-mode': { kind: 'string', help: 'Default cgroup namespace mode ("host"|"private")' },
  'default-ipc-mode': { kind: 'string', help: 'Default IPC mode ("shareable"|"private")' },
  'default-address-pools': { kind: 'object', flag: null, help: 'Pools from which networks get their subnets' },
  'no-new-privileges': { kind: 'boolean', help: 'Set no-new-privileges on new containers' },
  'seccomp-profile': { kind: 'string', help: 'Path to a seccomp profile, or "unconfined"' },
  init: { kind: 'boolean', help: 'Run an init in containers' },
  labels: { kind: 'list', flag: 'label', help: 'Label of the daemon: key=value' },
  mtu: { kind: 'number', help: 'MTU of the default bridge' },
  'max-concurrent-downloads': { kind: 'number', help: 'Concurrent downloads of one pull' },
  'max-concurrent-uploads': { kind: 'number', help: 'Concurrent uploads of one push' },
  'max-download-attempts': { kind: 'number', help: 'Attempts per download' },
  'shutdown-timeout': { kind: 'number', help: 'Seconds that a graceful stop may take' },
  'allow-plain-tcp': { kind: 'boolean', help: 'Serve the API on TCP without TLS beyond loopback' },
};

/** Keys of dockerd's daemon.json that Berth knows and does not have yet; each stops the start with a line of its own. */
const notYet = new Set(
  `allow-direct-routing api-cors-header bip6 builder cdi-spec-dirs default-gateway default-gateway-v6 default-network-opts
   exec-opts fixed-cidr fixed-cidr-v6 host-gateway-ips icc init-path ip ip-forward ip-forward-no-drop ip-masq ip6tables iptables ipv6
   log-format metrics-addr proxies raw-logs selinux-enabled storage-driver storage-opts tls tlscacert tlscert tlskey tlsverify
   userland-proxy userns-remap swarm-default-advertise-addr`.split(/\s+/),
);
/** Keys without a meaning for Berth that do no harm: containers always outlive the engine, there is no containerd. */
const harmless = new Set(['live-restore', 'containerd', 'features', 'experimental']);

function defaults(): DaemonConfig {
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
    'insecure-registries': [],
    'registry-mirrors': [],
    group: 'berth',
    debug: false,
    'log-level': 'info',
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
    labels: [],
    mtu: 1500,
    'max-concurrent-downloads': 3,
    'max-concurrent-uploads': 5,
    'max-download-attempts': 5,
    'shutdown-timeout': 15,
    'allow-plain-tcp': false,
  };
}

/** What the command line asked for. */
export interface DaemonArguments {
  config: DaemonConfig;
  help: boolean;
  /** Check the configuration and leave. */
  validate: boolean;
}

/**
 * Reads flags and the configuration file. A missing file at the default place is fine, one named by `--config-file` must exist.
 * Error: `invalid` with dockerd's text.
 */
export function readDaemonArguments(argv: readonly string[]): DaemonArguments {
  const flags = parseFlags(argv);
  const config = { ...defaults(), ...(flags.values as Partial<DaemonConfig>) };
  const file = readConfigFile(config['config-file'], 'config-file' in flags.values);
  applyFile(config, file, flags.values);
  if (config.hosts.length === 0) config.hosts = [`unix://${config['exec-root']}/berth.sock`];
  return { config, help: flags.help, validate: flags.validate };
}

type Values = Partial<Record<keyof DaemonConfig, unknown>>;

function parseFlags(argv: readonly string[]): { values: Values; help: boolean; validate: boolean } {
  const values: Values = {};
  let help = false;
  let validate = false;
  for (let index = 0; index < argv.length; index++) {
    const argument = argv[index] as string;
    if (argument === '--help' || argument === '-h') {
      help = true;
      continue;
    }
    if (argument === '--validate') {
      validate = true;
      continue;
    }
    const match = /^(?:--([a-z0-9][a-z0-9-]*)|-([A-Za-z]))(?:=(.*))?$/s.exec(argument);
    if (!match) throw new BerthError('invalid', `"berth daemon" accepts no arguments: ${argument}`);
    const key = findFlag(match[1], match[2]);
    if (!key)
      throw new BerthError(
        'invalid',
        match[1] ? `unknown flag: --${match[1]}` : `unknown shorthand flag: '${match[2]}' in ${argument}`,
      );
    let value = match[3];
    if (value === undefined && options[key].kind !== 'boolean') {
      value = argv[++index];
      if (value === undefined) throw new BerthError('invalid', `flag needs an argument: ${argument}`);
    }
    setFlag(values, key, value);
  }
  return { values, help, validate };
}

function findFlag(long: string | undefined, short: string | undefined): keyof DaemonConfig | undefined {
  return (Object.keys(options) as (keyof DaemonConfig)[]).find((key) => {
    const option = options[key];
    if (option.flag === null) return false;
    return long === undefined ? option.short === short : (option.flag ?? key) === long;
  });
}

function setFlag(values: Values, key: keyof DaemonConfig, text: string | undefined): void {
  switch (options[key].kind) {
    case 'boolean':
      if (text !== undefined && text !== 'true' && text !== 'false')
        throw new BerthError('invalid', `invalid argument "${text}" for "--${key}" flag: must be true or false`);
      values[key] = text !== 'false';
      break;
    case 'number':
      if (!/^-?\d+$/.test(text ?? ''))
        throw new BerthError('invalid', `invalid argument "${text}" for "--${key}" flag: must be a number`);
      values[key] = Number(text);
      break;
    case 'list':
      values[key] = [...((values[key] as string[] | undefined) ?? []), text as string];
      break;
    case 'object': {
      const separator = (text as string).indexOf('=');
      if (separator <= 0)
        throw new BerthError('invalid', `invalid argument "${text}" for "--${key}" flag: must be key=value`);
      const name = (text as string).slice(0, separator);
      const value = (text as string).slice(separator + 1);
      values[key] = { ...(values[key] as object | undefined), [name]: key === 'runtimes' ? { path: value } : value };
      break;
    }
    default:
      values[key] = text;
  }
}

function readConfigFile(path: string, mustExist: boolean): Record<string, unknown> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    if (!mustExist && (cause as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw unusable(path, (cause as Error).message, cause);
  }
  if (text.trim() === '') return {};
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed))
      return parsed as Record<string, unknown>;
  } catch (cause) {
    throw unusable(path, (cause as Error).message, cause);
  }
  throw unusable(path, 'it must hold one JSON object');
}

function applyFile(config: DaemonConfig, file: Record<string, unknown>, flags: Values): void {
  const path = config['config-file'];
  const unknown: string[] = [];
  const both: string[] = [];
  for (const [key, value] of Object.entries(file)) {
    if (harmless.has(key)) continue;
    if (notYet.has(key)) throw unusable(path, `the directive ${key} is known, but Berth does not support it yet`);
    if (!(key in options) || options[key as keyof DaemonConfig].flagOnly) {
      unknown.push(key);
      continue;
    }
    const name = key as keyof DaemonConfig;
    if (name in flags) both.push(`${key}: (from flag: ${show(flags[name])}, from file: ${show(value)})`);
    checkKind(path, name, value);
    (config as unknown as Record<string, unknown>)[name] = value;
  }
  if (unknown.length > 0)
    throw unusable(path, `the following directives don't match any configuration option: ${unknown.join(', ')}`);
  if (both.length > 0)
    throw unusable(
      path,
      `the following directives are specified both as a flag and in the configuration file: ${both.join(', ')}`,
    );
}

const fitsKind: Record<Kind, (value: unknown) => boolean> = {
  string: (value) => typeof value === 'string',
  boolean: (value) => typeof value === 'boolean',
  number: (value) => typeof value === 'number',
  list: (value) => Array.isArray(value) && value.every((item) => typeof item === 'string'),
  object: (value) => typeof value === 'object' && value !== null,
};

function checkKind(path: string, key: keyof DaemonConfig, value: unknown): void {
  const fits = fitsKind[options[key].kind](value);
  if (!fits) throw unusable(path, `the directive ${key} must be a ${options[key].kind}`);
}

function show(value: unknown): string {
  return Array.isArray(value) ? `[${value.join(' ')}]` : String(value);
}

function unusable(path: string, why: string, cause?: unknown): BerthError {
  return new BerthError('invalid', `unable to configure the Docker daemon with file ${path}: ${why}`, { cause });
}

/** The text of `berth daemon --help`. */
export function daemonHelp(): string {
  const lines = (Object.keys(options) as (keyof DaemonConfig)[]).flatMap((key) => {
    const option = options[key];
    if (option.flag === null) return [];
    const short = option.short ? `-${option.short}, ` : '    ';
    const type = option.kind === 'boolean' ? '' : option.kind === 'object' ? ' map' : ` ${option.kind}`;
    return [`  ${short}${`--${option.flag ?? key}${type}`.padEnd(34)} ${option.help}`];
  });
  return `Usage:  berth daemon [OPTIONS]\n\nA self-sufficient runtime for containers.\n\nOptions:\n${lines.join('\n')}\n      --validate                         Validate daemon configuration and exit`;
}
