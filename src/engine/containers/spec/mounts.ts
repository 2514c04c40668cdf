/** The mounts of a container's OCI configuration: the kernel's file systems, the network files, and what the user asked for. */
import { realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { BerthError } from '../../../api/errors.ts';
import type { HostConfig } from '../../../api/types/host-config.ts';
import type { RuntimeLinux, RuntimeMount } from '../../../oci/runtime-spec.ts';
import type { MountRecord } from '../record.ts';
import { type MountTable, mountOf } from './mount-table.ts';
import { isContainerMode } from './namespaces.ts';
import { tmpfsOptions } from './tmpfs-options.ts';

export interface NetworkFiles {
  /** Paths on the host; null: the image's own file stays. */
  resolvConf: string | null;
  hostname: string | null;
  hosts: string | null;
}

export interface MountContext {
  hostConfig: HostConfig;
  mounts: readonly MountRecord[];
  files: NetworkFiles;
  /** Of images, by destination. */
  imageMounts: ReadonlyMap<string, RuntimeMount>;
  /** The init that is mounted at `initTarget`, or null. */
  initPath: string | null;
  /** Where the shim pins what must be resolved inside a volume or another container. */
  pinned(pin: string): string;
  /** The runtime and the kernel can make whole trees of mounts read-only. */
  recursiveReadOnly: boolean;
  /** Read only when something of the host is mounted. */
  mountTable(): Promise<MountTable>;
}

export const initTarget = '/sbin/docker-init';

/** Name of the pin of another container's /dev/shm. */
export const sharedMemoryPin = 'pin-shm';

/** Name of the pin of a volume's subpath. */
export function subpathPin(mount: MountRecord): string {
  return `pin-${Buffer.from(mount.destination).toString('hex').slice(0, 200)}`;
}

function kernelMounts(context: MountContext): RuntimeMount[] {
  const host = context.hostConfig;
  const flags = ['nosuid', 'noexec', 'nodev'];
  const mounts: RuntimeMount[] = [
    { destination: '/proc', type: 'proc', source: 'proc', options: flags },
    {
      destination: '/dev',
      type: 'tmpfs',
      source: 'tmpfs',
      options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'],
    },
    {
      destination: '/dev/pts',
      type: 'devpts',
      source: 'devpts',
      options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
    },
    { destination: '/sys', type: 'sysfs', source: 'sysfs', options: host.Privileged ? flags : [...flags, 'ro'] },
    {
      destination: '/sys/fs/cgroup',
      type: 'cgroup',
      source: 'cgroup',
      options: host.Privileged ? flags : ['ro', ...flags],
    },
    { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: flags },
  ];
  if (host.IpcMode === 'host')
    mounts.push({ destination: '/dev/shm', type: 'bind', source: '/dev/shm', options: ['rbind', 'rprivate'] });
  else if (isContainerMode(host.IpcMode))
    mounts.push({
      destination: '/dev/shm',
      type: 'bind',
      source: context.pinned(sharedMemoryPin),
      options: ['rbind', 'rprivate', ...flags],
    });
  else if (host.IpcMode !== 'none')
    mounts.push({
      destination: '/dev/shm',
      type: 'tmpfs',
      source: 'shm',
      options: [...flags, 'mode=1777', `size=${host.ShmSize}`],
    });
  return mounts;
}

/** What of a read-only root stays writable. */
const alwaysWritable = new Set(['/proc', '/dev', '/dev/pts', '/dev/shm', '/dev/mqueue']);

/**
 * All mounts in the order in which they are made, and the propagation that the root needs for them.
 * Error: `internal` in dockerd's words for a source whose propagation is too narrow.
 */
export async function containerMounts(
  context: MountContext,
): Promise<{ mounts: RuntimeMount[]; propagation: RuntimeLinux['rootfsPropagation'] }> {
  const { hostConfig } = context;
  const taken = new Set(context.mounts.map((mount) => mount.destination));
  const devTaken = taken.has('/dev');
  const mounts = kernelMounts(context).filter(
    (mount) => !taken.has(mount.destination) && !(devTaken && mount.destination.startsWith('/dev/')),
  );
  if (context.initPath)
    mounts.push({ destination: initTarget, type: 'bind', source: context.initPath, options: ['bind', 'ro'] });
  if (hostConfig.ReadonlyRootfs) {
    for (const mount of mounts) {
      if (!alwaysWritable.has(mount.destination) && !mount.options.includes('ro'))
        mount.options = [...mount.options, 'ro'];
    }
  }
  let propagation: RuntimeLinux['rootfsPropagation'];
  for (const mount of parentsFirst(context.mounts, ({ destination }) => destination)) {
    const image = context.imageMounts.get(mount.destination);
    if (image) {
      mounts.push(image);
      continue;
    }
    if (mount.type === 'tmpfs') {
      mounts.push({
        destination: mount.destination,
        type: 'tmpfs',
        source: 'tmpfs',
        options: tmpfsOptions(mount.data),
      });
      continue;
    }
    propagation = await widenPropagation(propagation, mount, context);
    mounts.push(await bindMount(mount, context));
  }
  mounts.push(...networkMounts(context, taken));
  return { mounts, propagation };
}

/** Mounts in the order in which they are made: parents before what lies below them. @param targetOf gives an absolute path */
export function parentsFirst<Mount>(mounts: readonly Mount[], targetOf: (mount: Mount) => string): Mount[] {
  const depth = (mount: Mount): number =>
    targetOf(mount)
      .split('/')
      .filter((part) => part !== '').length;
  return mounts.toSorted((a, b) => depth(a) - depth(b));
}

async function bindMount(mount: MountRecord, context: MountContext): Promise<RuntimeMount> {
  const options = [mount.nonRecursive ? 'bind' : 'rbind'];
  if (!mount.writable) options.push(await readOnlyOption(mount, context.recursiveReadOnly));
  for (const option of await restrictionsOf(mount, context)) if (!options.includes(option)) options.push(option);
  if (mount.propagation) options.push(mount.propagation);
  const source = mount.subpath ? context.pinned(subpathPin(mount)) : mount.source;
  return { destination: mount.destination, type: 'bind', source, options };
}

const restrictions = new Set(['ro', 'nosuid', 'nodev', 'noexec', 'noatime', 'nodiratime']);

/** What the host forbids on the source's mount: crun would take that back where it is not said again. */
async function restrictionsOf(mount: MountRecord, context: MountContext): Promise<string[]> {
  const source = await realpath(mount.source).catch(() => mount.source);
  const { options } = mountOf(await context.mountTable(), source);
  return options.filter((option) => restrictions.has(option) && !(option === 'ro' && !mount.writable));
}

async function readOnlyOption(mount: MountRecord, recursiveReadOnly: boolean): Promise<'ro' | 'rro'> {
  // Nothing can be mounted below a file, and crun takes `rro` for directories only.
  if (mount.readOnly === 'flat' || (await isFile(join(mount.source, mount.subpath)))) return 'ro';
  if (recursiveReadOnly) return 'rro';
  if (mount.readOnly === 'recursive')
    throw new BerthError('invalid', 'rro is not supported: kernel is older than 5.12, or the runtime does not know it');
  return 'ro';
}

async function isFile(path: string): Promise<boolean> {
  try {
    return !(await stat(path)).isDirectory();
  } catch {
    // The mount itself will say what is wrong with it.
    return false;
  }
}

function networkMounts(context: MountContext, taken: ReadonlySet<string>): RuntimeMount[] {
  const { files, hostConfig } = context;
  const options = ['rbind', ...(hostConfig.ReadonlyRootfs ? ['ro'] : []), 'rprivate'];
  const mounts: RuntimeMount[] = [];
  const add = (destination: string, source: string | null): void => {
    if (source !== null && !taken.has(destination)) mounts.push({ destination, type: 'bind', source, options });
  };
  add('/etc/resolv.conf', files.resolvConf);
  add('/etc/hostname', files.hostname);
  add('/etc/hosts', files.hosts);
  return mounts;
}

async function widenPropagation(
  current: RuntimeLinux['rootfsPropagation'],
  mount: MountRecord,
  context: MountContext,
): Promise<RuntimeLinux['rootfsPropagation']> {
  const wanted = mount.propagation.replace(/^r/, '');
  if (wanted !== 'shared' && wanted !== 'slave') return current;
  const source = mountOf(await context.mountTable(), mount.source);
  if (wanted === 'shared') {
    if (!source.shared)
      throw new BerthError(
        'internal',
        `path ${mount.source} is mounted on ${source.mountPoint} but it is not a shared mount`,
      );
    return 'shared';
  }
  if (!source.shared && !source.slave)
    throw new BerthError(
      'internal',
      `path ${mount.source} is mounted on ${source.mountPoint} but it is not a shared or slave mount`,
    );
  return current === 'shared' ? current : 'rslave';
}
