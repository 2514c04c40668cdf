/** The configuration's values in the units and shapes that the services take. */
import { accessSync, constants, readFileSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import { BerthError, systemReason } from '../../api/errors.ts';
import type { ContainerSettings, RuntimeProgram } from '../../engine/containers/settings.ts';
import { parseBinarySize } from '../../wire/size.ts';
import type { DaemonConfig } from './config.ts';

/** The first that is installed is the default: crun starts a container in half of runc's time. */
const knownRuntimes = ['crun', 'runc'];
/** What Docker's users call the ordinary one, by both of its names there. */
const dockerRuntimes = ['runc', 'io.containerd.runc.v2'];

/** @param initPath of the program that `--init` runs. Error: `invalid` for a value that cannot be read. */
export function containerSettings(config: DaemonConfig, initPath: string): ContainerSettings {
  const runtimes = findRuntimes(config);
  const init = config['init-path'] || initPath;
  if (!findProgram(init)) throw new BerthError('invalid', `init-path ${init}: executable file not found`);
  return {
    cgroupParent: join('/', config['cgroup-parent']),
    defaultRuntime: findDefaultRuntime(config, runtimes),
    runtimes,
    shmSize: readSize('default-shm-size', config['default-shm-size']),
    ulimits: Object.entries(config['default-ulimits']).map(([name, { Hard, Soft }]) => ({ Name: name, Hard, Soft })),
    cgroupnsMode: oneOf(config, 'default-cgroupns-mode', ['', 'host', 'private'] as const),
    ipcMode: oneOf(config, 'default-ipc-mode', ['private', 'shareable'] as const),
    noNewPrivileges: config['no-new-privileges'],
    seccompProfile: readProfile(config['seccomp-profile']),
    init: config.init,
    initPath: () => init,
    cdiSpecDirectories: config['cdi-spec-dirs'],
    logDriver: config['log-driver'],
    logOptions: config['log-opts'],
    dns: config.dns,
    dnsOptions: config['dns-opts'],
    dnsSearch: config['dns-search'],
  };
}

/** Error: `invalid` where the one that is asked for is not there. */
export function findDefaultRuntime(config: DaemonConfig, runtimes: ReadonlyMap<string, RuntimeProgram>): string {
  const wanted = config['default-runtime'];
  if (wanted && !runtimes.has(wanted))
    throw new BerthError('invalid', `specified default runtime '${wanted}' does not exist`);
  return wanted || (runtimes.keys().next().value ?? 'crun');
}

/**
 * The runtimes of the configuration and the installed ones, by name. Where runc is not installed its names stand for crun, which takes the
 * same bundles and commands. Error: `invalid` for one that is not there.
 */
export function findRuntimes(config: DaemonConfig): Map<string, RuntimeProgram> {
  const runtimes = new Map<string, RuntimeProgram>();
  for (const name of knownRuntimes) {
    const path = findProgram(name);
    if (path) runtimes.set(name, { path, arguments: [] });
  }
  for (const [name, runtime] of Object.entries(config.runtimes)) {
    const wanted = runtime.path ?? name;
    const path = isAbsolute(wanted) ? wanted : findProgram(wanted);
    if (!path) throw new BerthError('invalid', `runtime ${name}: ${wanted}: executable file not found in $PATH`);
    runtimes.set(name, { path, arguments: runtime.runtimeArgs ?? [] });
  }
  const ordinary = runtimes.get('runc') ?? runtimes.get('crun');
  if (ordinary) for (const name of dockerRuntimes) if (!runtimes.has(name)) runtimes.set(name, ordinary);
  return runtimes;
}

function findProgram(name: string): string | null {
  if (isAbsolute(name)) return isExecutable(name) ? name : null;
  for (const directory of (process.env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin').split(delimiter)) {
    const path = join(directory, name);
    if (isExecutable(path)) return path;
  }
  return null;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    // Not there, or no program: the same to whoever looks for one.
    return false;
  }
}

function readSize(key: string, text: string): number {
  const size = parseBinarySize(text);
  if (size <= 0) throw new BerthError('invalid', `invalid size in ${key}: '${text}'`);
  return size;
}

function oneOf<T extends string>(config: DaemonConfig, key: keyof DaemonConfig, values: readonly T[]): T {
  const value = config[key];
  const found = values.find((candidate) => candidate === value);
  if (found === undefined) throw new BerthError('invalid', `invalid value for ${key}: ${String(value)}`);
  return found;
}

function readProfile(value: string): string {
  if (value === '' || value === 'unconfined') return value;
  if (value === 'builtin') return '';
  try {
    return readFileSync(value, 'utf8');
  } catch (cause) {
    throw new BerthError(
      'invalid',
      `opening seccomp profile (${value}) failed: open ${value}: ${systemReason(cause)}`,
      { cause },
    );
  }
}
