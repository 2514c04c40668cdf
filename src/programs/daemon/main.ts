/** `berth daemon`: reads the configuration, makes the engine, serves the API, leaves containers running at the end. */
import { mkdirSync, unlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { BerthError, errorMessage } from '../../api/errors.ts';
import { lockFile } from '../../host/files/file-lock.ts';
import { answerFirst } from '../../host/process/priority.ts';
import { createServer } from '../../server/create-server.ts';
import { Paths } from '../../store/paths.ts';
import { type DaemonConfig, daemonHelp, readDaemonArguments } from './config.ts';
import { dockerVersion, openEngine } from './engine.ts';
import { collectWhenIdle } from './idle-collection.ts';
import { createLogger, isLogLevel, type Logger } from './logger.ts';

/** @param argv behind `berth daemon` */
export async function main(argv: string[]): Promise<void> {
  try {
    const { config, help, validate } = readDaemonArguments(argv);
    if (help) console.log(daemonHelp());
    else if (validate) console.log('configuration OK');
    else await serve(config);
  } catch (error) {
    console.error(`failed to start daemon: ${errorMessage(error)}`);
    process.exit(1);
  }
}

async function serve(config: DaemonConfig): Promise<void> {
  const level = config.debug ? 'debug' : config['log-level'];
  if (!isLogLevel(level)) throw new BerthError('invalid', `invalid logging level: ${level}`);
  if (process.getuid?.() !== 0)
    throw new BerthError('forbidden', 'berth daemon needs to be started with root privileges');
  const log = createLogger(level);
  const paths = new Paths({ dataRoot: config['data-root'], execRoot: config['exec-root'] });
  for (const directory of paths.directories) mkdirSync(directory, { recursive: true, mode: 0o711 });
  if (!lockFile(paths.lock))
    throw new BerthError('conflict', `another engine uses the data root ${paths.dataRoot} already`);
  checkHosts(config);
  answerFirst();
  const engine = await openEngine(config, { paths, log });
  const server = createServer({
    backends: engine.backends,
    engineVersion: dockerVersion,
    cgroup2: engine.cgroupVersion === 2,
    onFailure: ({ method, target, status, error }) => {
      const line = `${method} ${target}: ${status} ${errorMessage(error)}`;
      if (status >= 500) log.error(line);
      else log.debug(line);
    },
  });
  writePidfile(config.pidfile);
  for (const host of config.hosts) {
    const listener = await server.listen(host, config.group);
    log.info(`API listen on ${listener.host}`);
  }
  collectWhenIdle();
  const stop = once(async (signal: string) => {
    log.info(`${signal}: stopping; containers go on running`);
    // Whatever hangs, the process ends: containers do not need it.
    setTimeout(() => process.exit(1), config['shutdown-timeout'] * 1000).unref();
    await server.close(1000);
    await engine.close();
    removePidfile(config.pidfile, log);
    process.exit(0);
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop(signal));
  process.on('uncaughtException', (error) => log.error(`uncaught: ${error.stack ?? error.message}`));
  process.on('unhandledRejection', (reason) =>
    log.error(`unhandled: ${reason instanceof Error ? reason.stack : String(reason)}`),
  );
}

/** Whoever reaches the API over TCP is root here, so plain TCP beyond loopback must be asked for by name. */
function checkHosts(config: DaemonConfig): void {
  for (const host of config.hosts) {
    const address = /^tcp:\/\/(\[[^\]]*\]|[^:/]*)/.exec(host)?.[1];
    if (address === undefined || config['allow-plain-tcp']) continue;
    if (/^(127\.\d+\.\d+\.\d+|localhost|\[::1\])$/.test(address)) continue;
    throw new BerthError(
      'invalid',
      `${host}: the API over TCP without TLS gives root to whoever reaches it; --allow-plain-tcp says that this is meant`,
    );
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
