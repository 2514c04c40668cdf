/**
 * Which capabilities a container's processes get: Docker's default list, changed by `--cap-add`, `--cap-drop` and
 * `--privileged`, never more than the engine itself can hand on.
 */
import { BerthError } from '../../../api/errors.ts';

/** Every capability of Linux, in the kernel's order: the index is the bit number in /proc/PID/status (capabilities(7)). */
export const kernelCapabilities: readonly string[] = `
  CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE
  NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN
  SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE
  MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE`
  .trim()
  .split(/\s+/)
  .map((name) => `CAP_${name}`);

/** What a container has when nothing else is said; the same list in the same order as Docker's. */
export const defaultCapabilities: readonly string[] = `
  CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL
  AUDIT_WRITE`
  .trim()
  .split(/\s+/)
  .map((name) => `CAP_${name}`);

const known = new Set(kernelCapabilities);
const all = 'ALL';

/** The names in a capability mask of /proc/PID/status, for example `CapBnd: 000001fffeffffff`. */
export function capabilitiesOfMask(hex: string): string[] {
  const mask = BigInt(`0x${hex}`);
  return kernelCapabilities.filter((_, bit) => (mask >> BigInt(bit)) & 1n);
}

/** What the user asked for. */
export interface CapabilityRequest {
  add: readonly string[];
  drop: readonly string[];
  privileged: boolean;
}

/**
 * `NET_ADMIN`, `cap_net_admin` → `CAP_NET_ADMIN`; sorted and without doubles; `ALL` stands for itself.
 * @param option `CapAdd` or `CapDrop`, for the error text
 * @param available the engine's bounding set: what is outside cannot be added
 * Error: `invalid` in Docker's words.
 */
export function normalizeCapabilities(
  names: readonly string[],
  option: 'CapAdd' | 'CapDrop',
  available: ReadonlySet<string>,
): string[] {
  const result = new Set<string>();
  for (const given of names) {
    const upper = given.trim().toUpperCase();
    if (upper === all) {
      result.add(all);
      continue;
    }
    const name = upper.startsWith('CAP_') ? upper : `CAP_${upper}`;
    if (!known.has(name)) throw new BerthError('invalid', `invalid ${option}: unknown capability: "${name}"`);
    if (option === 'CapAdd' && !available.has(name))
      throw new BerthError(
        'invalid',
        `invalid ${option}: capability not supported by your kernel or not available in the current environment: "${name}"`,
      );
    result.add(name);
  }
  return [...result].sort();
}

/** The container's capabilities, in an order that is the same for the same request. */
export function containerCapabilities(request: CapabilityRequest, available: readonly string[]): string[] {
  if (request.privileged) return [...available];
  const can = new Set(available);
  const add = normalizeCapabilities(request.add, 'CapAdd', can);
  const drop = new Set(normalizeCapabilities(request.drop, 'CapDrop', can));
  if (add.includes(all)) return available.filter((name) => !drop.has(name));
  const base = drop.has(all) ? [] : defaultCapabilities.filter((name) => can.has(name) && !drop.has(name));
  return [...new Set([...base, ...add])];
}
