/** OCI bundles with a busybox root for the supervisor's contract suite; everything lies below one directory of the test. */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { ShimSpec } from '../../src/supervisor/types.ts';

export interface Bundles {
  root: string;
  /** Makes the bundle and gives what starts it. */
  make(options: BundleOptions): ShimSpec;
  remove(): void;
}

export interface BundleOptions extends Partial<Omit<ShimSpec, 'id' | 'directory'>> {
  command: string[];
  environment?: string[];
  workingDirectory?: string;
  /** Bytes. */
  memoryLimit?: number;
  hostPidNamespace?: boolean;
}

const capabilities = ['CAP_CHOWN', 'CAP_DAC_OVERRIDE', 'CAP_FOWNER', 'CAP_KILL', 'CAP_SETGID', 'CAP_SETUID'];

function config(options: BundleOptions, id: string, cgroupParent: string): unknown {
  const namespaces: { type: string; path?: string }[] = [{ type: 'ipc' }, { type: 'uts' }, { type: 'mount' }];
  if (!options.hostPidNamespace) namespaces.push({ type: 'pid' });
  if ((options.network ?? { kind: 'new' }).kind !== 'host')
    namespaces.push({ type: 'network', path: '/proc/self/ns/net' });
  return {
    ociVersion: '1.0.2',
    process: processOf(options.command, options),
    root: { path: 'rootfs', readonly: false },
    hostname: 'contract',
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
      { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=755', 'size=65536k'] },
      {
        destination: '/dev/pts',
        type: 'devpts',
        source: 'devpts',
        options: ['newinstance', 'ptmxmode=0666', 'mode=0620'],
      },
    ],
    linux: {
      cgroupsPath: `${cgroupParent}/${id}`,
      namespaces,
      resources: options.memoryLimit ? { memory: { limit: options.memoryLimit, swap: options.memoryLimit } } : {},
    },
  };
}

/** The OCI process object of a command. */
export function processOf(
  command: string[],
  options: Pick<BundleOptions, 'terminal' | 'environment' | 'workingDirectory' | 'size'> = {},
): unknown {
  return {
    terminal: options.terminal ?? false,
    consoleSize: options.size ? { height: options.size.rows, width: options.size.columns } : undefined,
    user: { uid: 0, gid: 0 },
    args: command,
    env: ['PATH=/bin', ...(options.environment ?? [])],
    cwd: options.workingDirectory ?? '/',
    capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
  };
}

/** Makes a directory of its own in `/run`, with a busybox layer from the host's static busybox. */
export function makeBundles(applets: string[]): Bundles {
  const root = mkdtempSync('/run/berth-contract-');
  const layer = join(root, 'layers', '1', 'diff');
  for (const directory of ['bin', 'dev', 'proc', 'sys', 'etc', 'tmp'])
    mkdirSync(join(layer, directory), { recursive: true });
  copyFileSync('/bin/busybox', join(layer, 'bin', 'busybox'));
  for (const applet of applets) symlinkSync('busybox', join(layer, 'bin', applet));
  writeFileSync(join(layer, 'etc', 'data'), 'not a program');
  writeFileSync(join(layer, 'bin', 'garbage'), 'neither a script nor a binary', { mode: 0o755 });
  const cgroupParent = `/${root.slice('/run/'.length)}`;
  let number = 0;
  return {
    root,
    make(options) {
      number++;
      const id = number.toString(16).padStart(64, '0');
      const directory = join(root, 'containers', id);
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      const data = join(root, 'data', id);
      for (const name of ['upper', 'work']) mkdirSync(join(data, name), { recursive: true });
      writeFileSync(join(directory, 'config.json'), JSON.stringify(config(options, id, cgroupParent)));
      return {
        runtime: { path: '/usr/bin/crun', root: join(root, 'runtime'), arguments: [] },
        root: { kind: 'overlay', lower: [layer], upper: join(data, 'upper'), work: join(data, 'work'), volatile: true },
        terminal: false,
        stdin: 'closed',
        size: null,
        log: { driver: 'none' },
        network: { kind: 'new', interfaces: [], ports: [] },
        cgroupPath: `${cgroupParent}/${id}`,
        attachments: [],
        ...options,
        id,
        directory,
      };
    },
    remove() {
      rmSync(root, { recursive: true, force: true });
      // The runtime makes the parent of a container's cgroup, and nobody else here removes it.
      const top = '/sys/fs/cgroup';
      const roots = existsSync(join(top, 'cgroup.controllers'))
        ? [top]
        : readdirSync(top).map((name) => join(top, name));
      for (const hierarchy of roots) {
        if (existsSync(hierarchy + cgroupParent)) rmdirSync(hierarchy + cgroupParent);
      }
    },
  };
}
