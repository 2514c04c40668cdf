/**
 * Interfaces of running containers. Entering a container's network namespace and changing links may wait for the kernel's network
 * lock, so the native helper program does it.
 */

import { formatCidr } from './cidr.ts';
import type { BridgePlan } from './links.ts';

/** One more interface for a network namespace. */
export interface InterfaceRequest {
  /** At most 15 characters, unique on the host. */
  hostName: string;
  containerName: string;
  bridge: string;
  macAddress: string;
  /** With prefix length. */
  addresses: string[];
  /** Null: no default route. */
  gateway: string | null;
  mtu: number;
  hairpin: boolean;
  /** Kernel parameters of the interface, `net/ipv4/conf/eth0/log_martians=1`. */
  sysctls: string[];
}

export interface InterfaceAttacher {
  /** @param pid of a process in the container. Error: the kernel's refusal; nothing is left then. */
  attach(pid: number, request: InterfaceRequest): Promise<void>;
  /** Sends the container's default route through an interface that it has. */
  lead(pid: number, containerName: string, gateway: string): Promise<void>;
  /** Takes the interface away from both ends; one that is gone is no error. */
  detach(hostName: string): Promise<void>;
  /** As `Links.ensureBridge`, with the kernel's switches that the engine wants of a bridge. */
  makeBridge(plan: BridgePlan): Promise<void>;
  /** Removes interfaces of the host; many cost hardly more than one, which waits for tens of milliseconds. */
  remove(hostNames: readonly string[]): Promise<void>;
}

/** @param helper path of the native helper program (shim/net-applets.c) */
export function kernelAttacher(helper: string): InterfaceAttacher {
  return {
    attach: (pid, request) =>
      run([
        ...[helper, 'net-attach', `/proc/${pid}/ns/net`, request.hostName, request.containerName, request.bridge],
        ...[request.macAddress, String(request.mtu), request.hairpin ? '1' : '0', request.gateway ?? ''],
        ...request.addresses,
        ...request.sysctls,
      ]),
    lead: (pid, containerName, gateway) => run([helper, 'net-lead', `/proc/${pid}/ns/net`, containerName, gateway]),
    detach: (hostName) => run([helper, 'net-detach', hostName]),
    makeBridge: ({ name, address, macAddress, alias, mtu }) =>
      run([helper, 'net-bridge', name, address ? formatCidr(address) : '', macAddress, alias, String(mtu)]),
    remove: (hostNames) => run([helper, 'net-remove', ...hostNames]),
  };
}

async function run(command: string[]): Promise<void> {
  const child = Bun.spawn(command, { stdin: 'ignore', stdout: 'ignore', stderr: 'pipe' });
  const [code, text] = await Promise.all([child.exited, child.stderr.text()]);
  if (code !== 0) throw new Error(text.trim() || `${command[1]} ended with ${code}`);
}
