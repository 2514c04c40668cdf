/** Device nodes of a container and the cgroup rules that guard them. */
import type { Dirent } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { BerthError } from '../../../api/errors.ts';
import type { DeviceMapping } from '../../../api/types/host-config.ts';
import type { DeviceRule, RuntimeDevice } from '../../../oci/runtime-spec.ts';

const allowed = (major: number, minor: number): DeviceRule => ({ allow: true, type: 'c', major, minor, access: 'rwm' });

/** What every container may open: null, zero, random, urandom, tty, console; nothing else, /dev/fuse least of all. */
const defaultDeviceRules: readonly DeviceRule[] = [
  { allow: false, access: 'rwm' },
  allowed(1, 5),
  allowed(1, 3),
  allowed(1, 9),
  allowed(1, 8),
  allowed(5, 0),
  allowed(5, 1),
  { allow: false, type: 'c', major: 10, minor: 229, access: 'rwm' },
];

export interface DevicePlan {
  devices: RuntimeDevice[];
  rules: DeviceRule[];
}

/** What the client asked for. */
export interface DeviceRequestOptions {
  privileged: boolean;
  devices: readonly DeviceMapping[];
  cgroupRules: readonly string[];
}

/** Error: `internal` or `invalid` in dockerd's words for a device that is missing or a rule that cannot be read. */
export async function containerDevices(request: DeviceRequestOptions): Promise<DevicePlan> {
  const extra = request.cgroupRules.map(parseRule);
  if (request.privileged)
    return { devices: await hostDevices('/dev'), rules: [{ allow: true, access: 'rwm' }, ...extra] };
  const plan: DevicePlan = { devices: [], rules: [...defaultDeviceRules] };
  for (const mapping of request.devices) {
    const found = await mappedDevices(mapping);
    plan.devices.push(...found);
    for (const device of found) {
      if (device.type === 'p') continue;
      plan.rules.push({
        allow: true,
        type: device.type,
        major: device.major,
        minor: device.minor,
        access: mapping.CgroupPermissions || 'rwm',
      });
    }
  }
  plan.rules.push(...extra);
  return plan;
}

async function mappedDevices(mapping: DeviceMapping): Promise<RuntimeDevice[]> {
  const target = mapping.PathInContainer || mapping.PathOnHost;
  const failure = (reason: string): BerthError =>
    new BerthError(
      'internal',
      `error gathering device information while adding custom device "${mapping.PathOnHost}": ${reason}`,
    );
  let source: string;
  try {
    source = await realpath(mapping.PathOnHost);
  } catch {
    // Whatever the errno, the device is not to be had; Docker says it in these words.
    throw failure('no such file or directory');
  }
  const status = await stat(source);
  if (status.isDirectory()) {
    const inside = await hostDevices(source);
    if (inside.length === 0) throw failure('not a device node');
    return inside.map((device) => ({ ...device, path: target + device.path.slice(source.length) }));
  }
  const device = await deviceAt(source, target);
  if (!device) throw failure('not a device node');
  return [device];
}

const skippedDirectories = new Set(['pts', 'shm', 'fd', 'mqueue', '.lxc', '.lxd-mounts', '.udev']);
const skippedNodes = new Set(['console']);

/** Every device node below a directory; sockets, links and the places that each container has of its own are passed over. */
async function hostDevices(directory: string): Promise<RuntimeDevice[]> {
  const devices: RuntimeDevice[] = [];
  let entries: Dirent[];
  try {
    entries = await readdir(directory, { withFileTypes: true });
  } catch (error) {
    // Nodes come and go while /dev is walked.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return devices;
    throw error;
  }
  for (const entry of entries) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) {
      if (!skippedDirectories.has(entry.name)) devices.push(...(await hostDevices(path)));
    } else if ((entry.isCharacterDevice() || entry.isBlockDevice()) && !skippedNodes.has(entry.name)) {
      const device = await deviceAt(path, path);
      if (device) devices.push(device);
    }
  }
  return devices;
}

/** The node at `source` as it is to be at `path`; null where there is none. */
export async function deviceAt(source: string, path: string): Promise<RuntimeDevice | null> {
  let status: Awaited<ReturnType<typeof stat>>;
  try {
    status = await stat(source);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  const type = status.isCharacterDevice() ? 'c' : status.isBlockDevice() ? 'b' : null;
  if (type === null) return null;
  const { major, minor } = deviceNumber(status.rdev);
  return { path, type, major, minor, fileMode: status.mode & 0o7777, uid: status.uid, gid: status.gid };
}

/** Splits a device number as glibc's gnu_dev_major and gnu_dev_minor do. */
export function deviceNumber(device: number): { major: number; minor: number } {
  const exact = BigInt(device);
  return {
    major: Number(((exact >> 8n) & 0xfffn) | ((exact >> 32n) & ~0xfffn)),
    minor: Number((exact & 0xffn) | ((exact >> 12n) & ~0xffn)),
  };
}

const ruleFormat = /^([acb]) ([0-9]+|\*):([0-9]+|\*) ([rwm]{1,3})$/;

function parseRule(text: string): DeviceRule {
  const match = ruleFormat.exec(text);
  if (!match) throw new BerthError('invalid', `invalid device cgroup rule format: '${text}'`);
  const rule: DeviceRule = { allow: true, type: match[1] as 'a' | 'b' | 'c', access: match[4] as string };
  if (match[2] !== '*') rule.major = Number(match[2]);
  if (match[3] !== '*') rule.minor = Number(match[3]);
  return rule;
}
