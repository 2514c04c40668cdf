import { BerthError } from '../../../api/errors.ts';
import type { PortBinding } from '../../../api/types/host-config.ts';

const highestPort = 65_535;

/** `HostConfig.PortBindings`. Error: `invalid` in dockerd's words. */
export function checkPorts(bindings: Readonly<Record<string, Partial<PortBinding>[] | null>>): void {
  for (const [port, hosts] of Object.entries(bindings)) {
    const number = port.split('/')[0] as string;
    if (!isRange(number)) throw new BerthError('invalid', `invalid port specification: "${number}"`);
    for (const binding of hosts ?? []) {
      const hostPort = binding.HostPort ?? '';
      if (hostPort !== '' && !isRange(hostPort))
        throw new BerthError('invalid', `invalid port specification: "${hostPort}"`);
    }
  }
}

/** A port or a range of them. */
function isRange(text: string): boolean {
  const match = /^(\d+)(?:-(\d+))?$/.exec(text);
  if (!match) return false;
  const first = Number(match[1]);
  const last = Number(match[2] ?? match[1]);
  return first <= last && last <= highestPort;
}
