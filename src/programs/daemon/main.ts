/** `berth daemon`: reads the configuration, makes the engine, serves the API, leaves containers running at the end. */
import { mkdirSync, unlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { BerthError, errorMessage } from '../../api/errors.ts';
import { shortVersion } from '../../cli/version-text.ts';
import { checkBridgeTexts } from '../../engine/networks/default-networks.ts';
import { lockFile } from '../../host/files/file-lock.ts';
import { spreadInodes } from '../../host/files/spread-inodes.ts';
import { claimBridge } from '../../host/netlink/bridge-claim.ts';
import { answerFirst } from '../../host/process/priority.ts';
import { machineGoesDown, tellServiceManager } from '../../host/process/service-manager.ts';
import { createServer } from '../../server/create-server.ts';
import { Paths } from '../../store/paths.ts';
import type { DaemonConfig } from './config.ts';
import { daemonHelp } from './config-flags.ts';
import { dockerVersion, openEngine } from './engine.ts';
import { collectWhenIdle } from './idle-collection.ts';
import { createLogger, type Logger } from './logger.ts';
import { Metrics } from './metrics.ts';
import { networkSettings } from './network-settings.ts';
import { type DaemonArguments, readDaemonArguments } from './read-config.ts';
import { logLevel, type ReloadTarget, reload } from './reload.ts';
import { containerSettings } from './settings.ts';
import { readServerTls } from './tls.ts';

/** @param argv behind `berth daemon` */
export async function main(argv: string[]): Promise<void> {
  try {
    const given = readDaemonArguments(argv);
    if (given.help) console.log(daemonHelp());
    else if (given.version) console.log(shortVersion());
    else if (given.validate) {
      checkConfiguration(given.config);
      console.error('configuration OK');
    } else await serve(given).catch((cause) => failedStart(cause, given.config.debug));
  } catch (error) {
    console.error(errorMessage(error));
    process.exit(1);
  }
}

/** Error: what would stop a start with this configuration, as far as the values alone say it. */
function checkConfiguration(config: DaemonConfig): void {
  readServerTls(config);
  checkBridgeTexts(networkSettings(config, '').bridge);
  // The built-in init stands for one that is always there.
  containerSettings(config, '/bin/sh');
}

function failedStart(cause: unknown, debug: boolean): never {
  if (debug && cause instanceof Error) console.error(cause.stack);
  throw new BerthError('internal', `failed to start daemon: ${errorMessage(cause)}`, { cause });
}

async function serve({ config, reread }: DaemonArguments): Promise<void> {
  if (process.getuid?.() !== 0)
    throw new BerthError('forbidden', 'berth daemon needs to be started with root privileges');
  const log = createLogger({ least: logLevel(config), format: config['log-format'] });
  const paths = new Paths({ dataRoot: config['data-root'], execRoot: config['exec-root'] });
  for (const directory of paths.directories) mkdirSync(directory, { recursive: true, mode: 0o711 });
  for (const directory of paths.groves) spreadInodes(directory);
  if (!lockFile(paths.lock))
    throw new BerthError('conflict', `another engine uses the data root ${paths.dataRoot} already`);
  if (config.bridge !== 'none' && !(await claimBridge(config.bridge)))
    throw new BerthError(
      'conflict',
      `another engine uses the bridge ${config.bridge} already: give this one a --bridge and --bip of its own`,
    );
  const tls = readServerTls(config);
  useProxies(config);
  answerFirst();
  const engine = await openEngine(config, { paths, log });
  const metrics = config['metrics-addr'] ? new Metrics(engine.metrics) : null;
  const server = createServer({
    backends: engine.backends,
    engineVersion: dockerVersion,
    cgroup2: engine.cgroupVersion === 2,
    onAnswered: metrics?.answered,
    onFailure: ({ method, target, status, error }) => {
      const line = `${method} ${target}: ${status} ${errorMessage(error)}`;
      if (status >= 500) log.error(line);
      else log.debug(line);
    },
  });
  writePidfile(config.pidfile);
  for (const host of config.hosts) {
    const listener = await server.listen(host, config.group, tls);
    log.info(`API listen on ${listener.host}`);
  }
  if (metrics) log.info(`metrics listen on ${await metrics.listen(config['metrics-addr'])}`);
  collectWhenIdle();
  const stop = once(async (signal: string) => {
    tellServiceManager('STOPPING=1');
    if (await machineGoesDown()) {
      log.info(`${signal}: the machine goes down; stopping all containers`);
      await engine.halt();
    } else log.info(`${signal}: stopping; containers go on running`);
    // Whatever hangs, the process ends: containers do not need it.
    const patience = config['shutdown-timeout'];
    if (patience >= 0) setTimeout(() => process.exit(1), patience * 1000).unref();
    await server.close(1000);
    await engine.close();
    removePidfile(config.pidfile, log);
    process.exit(0);
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop(signal));
  process.on('SIGHUP', () => takeOver({ reread, config, engine, log }));
  process.on('uncaughtException', (error) => log.error(`uncaught: ${error.stack ?? error.message}`));
  process.on('unhandledRejection', (reason) =>
    log.error(`unhandled: ${reason instanceof Error ? reason.stack : String(reason)}`),
  );
  tellServiceManager('READY=1');
}

/** SIGHUP. A file that does not fit changes nothing. */
function takeOver({ reread, ...target }: ReloadTarget & Pick<DaemonArguments, 'reread'>): void {
  const { log, config } = target;
  log.info(`SIGHUP: reading ${config['config-file']} again`);
  tellServiceManager(`RELOADING=1\nMONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`);
  try {
    reload(reread(), target);
    log.info('the configuration was taken over');
  } catch (error) {
    log.error(`the configuration stays as it was: ${errorMessage(error)}`);
  }
  tellServiceManager('READY=1');
}

/** Proxies of the configuration go before those of the environment, which is where all who connect look for them. */
function useProxies(config: DaemonConfig): void {
  for (const key of ['http-proxy', 'https-proxy', 'no-proxy'] as const) {
    const name = key.replace('-', '_');
    if (config[key] === '') continue;
    process.env[name] = config[key];
    process.env[name.toUpperCase()] = config[key];
  }
}

function writePidfile(path: string): void {
  if (path === '') return;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, String(process.pid));
}

function removePidfile(path: string, log: Logger): void {
  if (path === '') return;
  try {
    unlinkSync(path);
  } catch (error) {
    log.debug(`pidfile: ${errorMessage(error)}`);
  }
}

function once(work: (signal: string) => Promise<void>): (signal: string) => void {
  let begun = false;
  return (signal) => {
    if (begun) return;
    begun = true;
    void work(signal);
  };
}
