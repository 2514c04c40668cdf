/** Reads flags and daemon.json into one configuration, in dockerd's words where they do not fit. */
import { readFileSync } from 'node:fs';
import { BerthError } from '../../api/errors.ts';
import { checkConfig, checkNarrow } from './check-config.ts';
import { type DaemonConfig, defaultConfig, type Kind, narrowOptions, options } from './config.ts';
import { type FlagValues, parseFlags } from './config-flags.ts';

/** What the command line asked for. */
export interface DaemonArguments {
  config: DaemonConfig;
  help: boolean;
  version: boolean;
  /** Check the configuration and leave. */
  validate: boolean;
  /** Reads the file again, flags as they were. Errors as of `readDaemonArguments`. */
  reread(): DaemonConfig;
}

/**
 * Reads flags and the configuration file. A missing file at the default place is fine, one named by `--config-file` must exist.
 * Error: `invalid` with dockerd's text.
 */
export function readDaemonArguments(argv: readonly string[]): DaemonArguments {
  const { values, help, version, validate } = parseFlags(argv);
  const reread = (): DaemonConfig => mergeConfig(values);
  // Somebody who asks for help may have a file that does not fit.
  const config = help || version ? defaultConfig('') : reread();
  return { config, help, version, validate, reread };
}

function mergeConfig(flags: FlagValues): DaemonConfig {
  const environment = process.env;
  const certificates = environment['DOCKER_CERT_PATH'] || `${environment['HOME'] ?? '/root'}/.docker`;
  const config = { ...defaultConfig(certificates), ...(flags as Partial<DaemonConfig>) };
  const path = config['config-file'];
  const file = flatten(readConfigFile(path, 'config-file' in flags));
  judgeKeys(path, file, flags);
  for (const [key, value] of Object.entries(file)) {
    checkKind(path, key, value);
    checkNarrow(key, value, (why) => unusable(path, why));
    if (key in options) (config as unknown as Record<string, unknown>)[key] = value;
  }
  if (config.tlsverify) config.tls = true;
  config.hosts = listenHosts(config);
  const merged = Object.keys(file).length > 0;
  checkConfig(config, (why) =>
    merged
      ? unusable(path, `merged configuration validation from file and command line flags failed: ${why}`)
      : new BerthError('invalid', why),
  );
  return config;
}

/** Sockets that a service manager opened are served whatever else is asked for: their clients wait already. */
function listenHosts(config: DaemonConfig): string[] {
  const hosts = config.hosts.map((host) => wholeHost(host, config));
  const hasSockets = process.env['LISTEN_FDS'] !== undefined && process.env['LISTEN_PID'] === String(process.pid);
  if (hasSockets && !hosts.some((host) => host.startsWith('fd://'))) return ['fd://', ...hosts];
  return hosts.length > 0 ? hosts : [defaultSocket(config)];
}

function defaultSocket(config: DaemonConfig): string {
  return `unix://${config['exec-root']}/berth.sock`;
}

/** What is left out is filled in as dockerd does: TCP, this machine only, the port of plain TCP or of TLS. */
function wholeHost(text: string, config: DaemonConfig): string {
  const host = text.includes('://') ? text : `tcp://${text}`;
  if (host === 'unix://') return defaultSocket(config);
  const [, address, port] = /^tcp:\/\/(\[[^\]]*\]|[^:/]*)(:\d+)?\/?$/.exec(host) ?? [];
  if (address === undefined) return host;
  return `tcp://${address || '127.0.0.1'}${port ?? (config.tls ? ':2376' : ':2375')}`;
}

function readConfigFile(path: string, mustExist: boolean): Record<string, unknown> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    if (!mustExist && (cause as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw unusable(path, `open ${path}: ${systemText(cause as NodeJS.ErrnoException)}`, cause);
  }
  if (text.trim() === '') return {};
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw unusable(path, `invalid JSON: ${(cause as Error).message}`, cause);
  }
  if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed as Record<string, unknown>;
  throw unusable(
    path,
    `invalid JSON: json: cannot unmarshal ${jsonKind(parsed)} into Go value of type map[string]interface {}`,
  );
}

function systemText(error: NodeJS.ErrnoException): string {
  return error.code === 'ENOENT'
    ? 'no such file or directory'
    : error.code === 'EACCES'
      ? 'permission denied'
      : error.message;
}

/** `proxies` holds keys that are flags of their own. A null is as good as absent. */
function flatten(file: Record<string, unknown>): Record<string, unknown> {
  const { proxies, ...rest } = file;
  const flat = typeof proxies === 'object' && proxies !== null ? { ...rest, ...proxies } : rest;
  return Object.fromEntries(Object.entries(flat).filter(([, value]) => value !== null));
}

function judgeKeys(path: string, file: Record<string, unknown>, flags: FlagValues): void {
  const unknown = Object.keys(file).filter(
    (key) => !(key in narrowOptions) && (!(key in options) || options[key as keyof DaemonConfig].flagOnly),
  );
  if (unknown.length > 0)
    throw unusable(path, `the following directives don't match any configuration option: ${unknown.join(', ')}`);
  const both = Object.entries(file)
    .filter(([key]) => key in flags && key !== 'runtimes')
    .map(([key, value]) => `${key}: (from flag: ${goText(flags[key])}, from file: ${goText(value)})`);
  if (both.length > 0)
    throw unusable(
      path,
      `the following directives are specified both as a flag and in the configuration file: ${both.join(', ')}`,
    );
}

const kinds: Record<Kind, { fits(value: unknown): boolean; goType: string }> = {
  string: { fits: (value) => typeof value === 'string', goType: 'string' },
  boolean: { fits: (value) => typeof value === 'boolean', goType: 'bool' },
  number: { fits: (value) => typeof value === 'number' && Number.isInteger(value), goType: 'int' },
  list: {
    fits: (value) => Array.isArray(value) && value.every((item) => typeof item === 'string'),
    goType: '[]string',
  },
  map: {
    fits: (value) =>
      jsonKind(value) === 'object' && Object.values(value as object).every((one) => typeof one === 'string'),
    goType: 'map[string]string',
  },
  object: { fits: (value) => typeof value === 'object', goType: 'object' },
};

function checkKind(path: string, key: string, value: unknown): void {
  const { kind } = (options as Record<string, { kind: Kind }>)[key] ?? (narrowOptions[key] as { kind: Kind });
  const { fits, goType } = kinds[kind];
  if (fits(value)) return;
  throw unusable(
    path,
    `invalid JSON: json: cannot unmarshal ${jsonKind(value)} into Go struct field Config.${key} of type ${goType}`,
  );
}

/** JSON's name of a value's type, as Go has it. */
function jsonKind(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'boolean') return 'bool';
  return value === null ? 'null' : typeof value;
}

/** As Go prints it with %v. */
export function goText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(goText).join(' ')}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `map[${entries.map(([name, one]) => `${name}:${goText(one)}`).join(' ')}]`;
}

function unusable(path: string, why: string, cause?: unknown): BerthError {
  return new BerthError('invalid', `unable to configure the Docker daemon with file ${path}: ${why}`, { cause });
}
