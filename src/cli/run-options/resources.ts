/** Limits: ulimits, devices, rates. Errors in Docker's words. */
import type { DeviceMapping, ThrottleDevice, Ulimit, WeightDevice } from '../../api/types/host-config.ts';
import { parseBinarySize } from '../../wire/size.ts';

const ulimitNames = new Set(
  'core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack'.split(' '),
);

/** `nofile=1024:2048` */
export function parseUlimit(text: string): Ulimit {
  const equals = text.indexOf('=');
  if (equals < 0) throw new Error(`invalid ulimit argument: ${text}`);
  const name = text.slice(0, equals);
  if (!ulimitNames.has(name)) throw new Error(`invalid ulimit type: ${name}`);
  const [softText, hardText, ...more] = text.slice(equals + 1).split(':') as [string, ...string[]];
  if (more.length > 0)
    throw new Error(
      `too many limit value arguments - ${text.slice(equals + 1)}, can only have up to two, \`soft[:hard]\``,
    );
  const soft = limit(softText);
  const hard = hardText === undefined ? soft : limit(hardText);
  if (hard !== -1n && (soft === -1n || soft > hard))
    throw new Error(
      soft === -1n
        ? `ulimit soft limit must be less than or equal to hard limit: soft: -1 (unlimited), hard: ${hard}`
        : `ulimit soft limit must be less than or equal to hard limit: ${soft} > ${hard}`,
    );
  return { Name: name, Soft: narrow(soft), Hard: narrow(hard) };
}

export function checkUlimit(text: string): string {
  parseUlimit(text);
  return text;
}

function limit(text: string): bigint {
  if (!/^[+-]?\d+$/.test(text)) throw new Error(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  const value = BigInt(text.replace('+', ''));
  if (value !== BigInt.asIntN(64, value))
    throw new Error(`strconv.ParseInt: parsing ${JSON.stringify(text)}: value out of range`);
  return value;
}

function narrow(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** Later ones of a name replace earlier ones. */
export function parseUlimits(texts: readonly string[]): Ulimit[] {
  const byName = new Map(texts.map((text) => [parseUlimit(text).Name, parseUlimit(text)]));
  return [...byName.values()].sort((a, b) => (a.Name < b.Name ? -1 : 1));
}

/** `PATH[:PATH_INSIDE[:rwm]]`, or `PATH:rwm`. */
export function parseDevice(text: string): DeviceMapping {
  const parts = text.split(':');
  const [source = '', second, third] = parts;
  let target = source;
  let permissions = 'rwm';
  if (parts.length > 3) throw new Error(`invalid device specification: ${text}`);
  if (third !== undefined) permissions = third;
  if (second !== undefined) {
    if (isDeviceMode(second) && third === undefined) permissions = second;
    else target = second || source;
  }
  if (!isDeviceMode(permissions)) throw new Error(`bad mode specified: ${permissions}`);
  if (!/^\//.test(source) || !target.startsWith('/'))
    throw new Error(`${target.startsWith('/') ? source : target} is not an absolute path`);
  return { PathOnHost: source, PathInContainer: target, CgroupPermissions: permissions };
}

function isDeviceMode(text: string): boolean {
  return /^[rwm]{1,3}$/.test(text) && new Set(text).size === text.length;
}

/** A device by its CDI name: `vendor/class=name`. */
export function isCdiDevice(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9_.-]*\/[A-Za-z0-9][A-Za-z0-9_-]*=[A-Za-z0-9_.:-]+$/.test(text);
}

/** `PATH:WEIGHT` */
export function parseWeightDevice(text: string): WeightDevice {
  const [path, weight] = devicePair(text);
  const value = Number(weight);
  if (!/^\d+$/.test(weight) || (value > 0 && (value < 10 || value > 1000)))
    throw new Error(`invalid weight for device: ${text}`);
  return { Path: path, Weight: value };
}

/** `PATH:RATE`, the rate in bytes with a unit. */
export function parseBytesRate(text: string): ThrottleDevice {
  const [path, rate] = devicePair(text);
  try {
    return { Path: path, Rate: parseBinarySize(rate) };
  } catch (cause) {
    throw new Error(
      `invalid rate for device: ${text}. The correct format is <device-path>:<number>[<unit>]. Number must be a positive integer. Unit is optional and can be kb, mb, or gb`,
      { cause },
    );
  }
}

/** `PATH:RATE`, the rate in operations. */
export function parseOperationsRate(text: string): ThrottleDevice {
  const [path, rate] = devicePair(text);
  if (!/^\d+$/.test(rate))
    throw new Error(
      `invalid rate for device: ${text}. The correct format is <device-path>:<number>. Number must be a positive integer`,
    );
  return { Path: path, Rate: Number(rate) };
}

/** A check for the option table out of a parser. */
export function checkedBy(parse: (text: string) => unknown): (text: string) => string {
  return (text) => {
    parse(text);
    return text;
  };
}

/** Error for a kernel parameter that no container has of its own. */
export function checkSysctl(text: string): string {
  const names = [
    'kernel.msgmax',
    'kernel.msgmnb',
    'kernel.msgmni',
    'kernel.sem',
    'kernel.shmall',
    'kernel.shmmax',
    'kernel.shmmni',
    'kernel.shm_rmid_forced',
  ];
  const equals = text.indexOf('=');
  if (equals > 0 && (names.includes(text.slice(0, equals)) || /^(net|fs\.mqueue)\./.test(text))) return text;
  throw new Error(`sysctl '${text}' is not allowed`);
}

/** `c 42:* rmw` */
export function checkDeviceRule(text: string): string {
  if (/^[acb] ([0-9]+|\*):([0-9]+|\*) [rwm]{1,3}$/.test(text)) return text;
  throw new Error(`invalid device cgroup format '${text}'`);
}

function devicePair(text: string): [string, string] {
  const colon = text.indexOf(':');
  if (colon <= 0) throw new Error(`bad format: ${text}`);
  const path = text.slice(0, colon);
  if (!path.startsWith('/dev/')) throw new Error(`bad format for device path: ${text}`);
  return [path, text.slice(colon + 1)];
}
