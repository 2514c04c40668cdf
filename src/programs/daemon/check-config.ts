/** Judges the values of a configuration, in dockerd's words. */
import { isIP } from 'node:net';
import { type BerthError, errorMessage } from '../../api/errors.ts';
import { Registries } from '../../distribution/registries.ts';
import { checkLogOptions } from '../../engine/logs/log-options.ts';
import { parseBinarySize } from '../../wire/size.ts';
import { type DaemonConfig, narrowOptions } from './config.ts';
import { isLogLevel } from './logger.ts';

/** Error, made by `refuse`: the first value that cannot be used. */
export function checkConfig(config: DaemonConfig, refuse: (why: string) => BerthError): void {
  for (const problem of problems(config)) if (problem) throw refuse(problem);
}

/** Error, made by `refuse`: a key of dockerd's with a value that means something Berth does not do. */
export function checkNarrow(key: string, value: unknown, refuse: (why: string) => BerthError): void {
  const option = narrowOptions[key];
  if (!option?.only || option.only.some((one) => Bun.deepEquals(one, value))) return;
  throw refuse(option.why ?? `the directive ${key} is known, but Berth does not support it yet`);
}

function* problems(config: DaemonConfig): Generator<string | undefined> {
  if (!isLogLevel(config['log-level'])) yield `invalid logging level: ${config['log-level']}`;
  if (config['log-format'] !== 'text' && config['log-format'] !== 'json')
    yield `invalid log format: ${config['log-format']}`;
  for (const address of config.dns) if (isIP(address) === 0) yield `invalid IP address: ${address}`;
  yield labelProblem(config.labels);
  if (config.mtu < 0) yield `invalid default MTU: ${config.mtu}`;
  if (config['max-concurrent-downloads'] < 0)
    yield `invalid max concurrent downloads: ${config['max-concurrent-downloads']}`;
  if (config['max-concurrent-uploads'] < 0) yield `invalid max concurrent uploads: ${config['max-concurrent-uploads']}`;
  if (config['max-download-attempts'] < 0) yield `invalid max download attempts: ${config['max-download-attempts']}`;
  yield problemOf(() => {
    new Registries({ mirrors: config['registry-mirrors'], insecureRegistries: config['insecure-registries'] });
  });
  if (config['default-ipc-mode'] !== 'private' && config['default-ipc-mode'] !== 'shareable')
    yield `default IPC mode setting (${config['default-ipc-mode']}) is invalid; use "shareable" or "private"`;
  if (!['', 'host', 'private'].includes(config['default-cgroupns-mode']))
    yield `invalid default cgroup namespace (${config['default-cgroupns-mode']}): use "host" or "private"`;
  yield problemOf(() => parseBinarySize(config['default-shm-size']));
  const logging = problemOf(() => checkLogOptions(config['log-driver'], config['log-opts']));
  if (logging) yield `failed to set log opts: ${logging}`;
  for (const host of config.hosts) yield hostProblem(host);
  if (config['metrics-addr'] && !/^(\[[0-9a-fA-F:.]+\]|[^:]*):\d{1,5}$/.test(config['metrics-addr']))
    yield `invalid metrics-addr: address ${config['metrics-addr']}: missing port in address`;
  yield plainTcpProblem(config);
}

function labelProblem(labels: readonly string[]): string | undefined {
  const seen = new Map<string, string>();
  for (const label of labels) {
    const separator = label.indexOf('=');
    if (separator <= 0) return `bad attribute format: ${label}`;
    const name = label.slice(0, separator);
    const before = seen.get(name);
    if (before !== undefined && before !== label) return `conflict labels for ${label} and ${before}`;
    seen.set(name, label);
  }
  return undefined;
}

function hostProblem(host: string): string | undefined {
  return /^(unix|tcp|fd):\/\//.test(host) ? undefined : `invalid bind address (${host}): unsupported proto`;
}

/** Whoever reaches the API over TCP is root here, so plain TCP beyond loopback must be asked for by name. */
function plainTcpProblem(config: DaemonConfig): string | undefined {
  if (config.tls || config['allow-plain-tcp']) return undefined;
  for (const host of config.hosts) {
    const address = /^tcp:\/\/(\[[^\]]*\]|[^:/]*)/.exec(host)?.[1];
    if (address === undefined || /^(127\.\d+\.\d+\.\d+|localhost|\[::1\])$/.test(address)) continue;
    return `${host}: the API over TCP without TLS gives root to whoever reaches it; use --tlsverify, or --allow-plain-tcp to say that this is meant`;
  }
  return undefined;
}

function problemOf(attempt: () => unknown): string | undefined {
  try {
    attempt();
    return undefined;
  } catch (error) {
    return errorMessage(error);
  }
}
