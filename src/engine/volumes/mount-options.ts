/** Options of the local driver: what is mounted where a volume is used, in the words of mount(8) and with dockerd's refusals. */
import { BerthError } from '../../api/errors.ts';
import { parseBinarySize } from '../../wire/size.ts';

/** What mount(2) is given. */
export interface DeviceMount {
  type: string;
  device: string;
  flags: number;
  data: string;
}

const bind = 0x1000;
const recursive = 0x4000;

/** Bits of mount(2) that a word sets (or, with `clear`, takes away). */
const words: Readonly<Record<string, { bits: number; clear?: true }>> = {
  defaults: { bits: 0 },
  ro: { bits: 1 },
  rw: { bits: 1, clear: true },
  nosuid: { bits: 2 },
  suid: { bits: 2, clear: true },
  nodev: { bits: 4 },
  dev: { bits: 4, clear: true },
  noexec: { bits: 8 },
  exec: { bits: 8, clear: true },
  sync: { bits: 0x10 },
  async: { bits: 0x10, clear: true },
  dirsync: { bits: 0x80 },
  mand: { bits: 0x40 },
  nomand: { bits: 0x40, clear: true },
  noatime: { bits: 0x400 },
  atime: { bits: 0x400, clear: true },
  nodiratime: { bits: 0x800 },
  diratime: { bits: 0x800, clear: true },
  bind: { bits: bind },
  rbind: { bits: bind | recursive },
  relatime: { bits: 0x200000 },
  norelatime: { bits: 0x200000, clear: true },
  strictatime: { bits: 0x1000000 },
  nostrictatime: { bits: 0x1000000, clear: true },
};

const known = new Set(['type', 'o', 'device', 'size']);
/** An option makes no sense without these. */
const needs: Readonly<Record<string, readonly string[]>> = {
  o: ['device', 'type'],
  device: ['type'],
  type: ['device'],
};

/** Error: `invalid`, begun with `create <name>: `. */
export function checkDriverOptions(name: string, options: Readonly<Record<string, string>>): void {
  const refuse = (reason: string): BerthError => new BerthError('invalid', `create ${name}: ${reason}`);
  for (const option of Object.keys(options))
    if (!known.has(option)) throw refuse(`invalid option: ${JSON.stringify(option)}`);
  for (const option of Object.keys(needs)) {
    const missing = option in options && needs[option]?.find((other) => !(other in options));
    if (missing) throw refuse(`missing required option: ${JSON.stringify(missing)}`);
  }
  if (options['type'] === 'cifs' && URL.parse(options['device'] ?? '', 'cifs://')?.port)
    throw refuse("port not allowed in CIFS device URL, include 'port' in 'o='");
  if (options['size'] === undefined) return;
  try {
    parseBinarySize(options['size']);
  } catch {
    throw refuse(`invalid size: '${options['size']}'`);
  }
  throw refuse('quota size requested but no quota support');
}

/** What is mounted in place of the volume's own directory. Null: nothing. */
export function deviceMount(options: Readonly<Record<string, string>> | null): DeviceMount | null {
  const device = options?.['device'];
  if (!options || !device) return null;
  let flags = 0;
  const data: string[] = [];
  for (const option of (options['o'] ?? '').split(',')) {
    const word = words[option];
    if (option === '') continue;
    if (!word) data.push(option);
    else flags = word.clear ? flags & ~word.bits : flags | word.bits;
  }
  return { type: options['type'] ?? '', device, flags, data: data.join(',') };
}

/**
 * The kernel takes addresses only: the host that `addr=` names, and for cifs the one of the device, are looked up.
 * Error: `internal` in dockerd's words.
 */
export async function withAddresses(
  mount: DeviceMount,
  lookup: (host: string) => Promise<string>,
): Promise<DeviceMount> {
  if (mount.type !== 'cifs' && !mount.type.startsWith('nfs')) return mount;
  const address = async (host: string): Promise<string> => {
    if (/^[\d.]+$/.test(host) || host.includes(':')) return host;
    try {
      return await lookup(host);
    } catch (cause) {
      const reason = `error resolving passed in network volume address: lookup ${host}: no such host`;
      throw new BerthError('internal', reason, { cause });
    }
  };
  const host = /(?:^|,)addr=([^,]*)/.exec(mount.data)?.[1];
  if (host) return { ...mount, data: mount.data.replace(`addr=${host}`, `addr=${await address(host)}`) };
  const share = mount.type === 'cifs' ? /^\/\/([^/]+)/.exec(mount.device)?.[1] : undefined;
  if (!share) return mount;
  return { ...mount, data: [mount.data, `addr=${await address(share)}`].filter((part) => part !== '').join(',') };
}

/** A refused mount as dockerd tells of it; a password is not told. @param reason text of the errno, in small letters */
export function mountFailure(mount: DeviceMount, target: string, reason: string): BerthError {
  const flags = mount.flags === 0 ? '' : `, flags: 0x${mount.flags.toString(16)}`;
  const data = mount.data === '' ? '' : `, data: ${mount.data.replace(/((?:^|,)password=)[^,]*/, '$1********')}`;
  return new BerthError(
    'internal',
    `error while mounting volume '${target}': failed to mount local volume: mount ${mount.device}:${target}${flags}${data}: ${reason}`,
  );
}
