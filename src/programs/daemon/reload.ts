/** SIGHUP: takes over the keys of daemon.json that may change while the engine runs, the ones that dockerd reloads. */
import { hostname } from 'node:os';
import { parseBinarySize } from '../../wire/size.ts';
import { type DaemonConfig, options } from './config.ts';
import type { Engine } from './engine.ts';
import type { Logger } from './logger.ts';
import { goText } from './read-config.ts';

export interface ReloadTarget {
  /** The configuration in force; changed here. */
  config: DaemonConfig;
  engine: Pick<Engine, 'reload' | 'announce'>;
  log: Logger;
}

/** Error: `invalid` for values that cannot be used; everything stays as it was then. */
export function reload(next: DaemonConfig, { config, engine, log }: ReloadTarget): void {
  const keys = Object.keys(options) as (keyof DaemonConfig)[];
  const reloadable = Object.fromEntries(
    keys.filter((key) => options[key].reloadable).map((key) => [key, next[key]]),
  ) as Partial<DaemonConfig>;
  const merged = { ...config, ...reloadable };
  engine.reload(merged);
  for (const key of keys)
    if (!options[key].reloadable && !Bun.deepEquals(config[key], next[key]))
      log.warn(`${key} has changed in ${config['config-file']}: the engine must be restarted to take it over`);
  Object.assign(config, reloadable);
  log.least = logLevel(config);
  engine.announce('reload', reloadAttributes(config));
}

/** What `debug` and `log-level` ask for together. */
export function logLevel(config: DaemonConfig): Logger['least'] {
  return config.debug ? 'debug' : (config['log-level'] as Logger['least']);
}

/** Attributes of dockerd's event, in its spelling. */
function reloadAttributes(config: DaemonConfig): Record<string, string> {
  const json = (list: readonly string[]): string => JSON.stringify(list);
  return {
    name: hostname(),
    debug: String(config.debug),
    'default-cgroupns-mode': config['default-cgroupns-mode'],
    'default-ipc-mode': config['default-ipc-mode'],
    'default-runtime': config['default-runtime'],
    'default-shm-size': String(parseBinarySize(config['default-shm-size'])),
    features: 'map[]',
    'insecure-registries': json(config['insecure-registries']),
    labels: json(config.labels),
    'live-restore': 'true',
    'max-concurrent-downloads': String(config['max-concurrent-downloads']),
    'max-concurrent-uploads': String(config['max-concurrent-uploads']),
    'max-download-attempts': String(config['max-download-attempts']),
    'registry-mirrors': json(config['registry-mirrors']),
    runtimes: Object.entries(config.runtimes)
      .map(([name, runtime]) => `${name}:${goText(runtime)}`)
      .join(' '),
    'shutdown-timeout': String(config['shutdown-timeout']),
  };
}
