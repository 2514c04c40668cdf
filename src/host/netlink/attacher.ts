/**
 * Interfaces of running containers. Entering a container's network namespace and changing links may wait for the kernel's network
 * lock, so the native helper program does it.
 */
import { formatCidr } from './cidr.ts';
import { formatIpNetwork } from './ip-network.ts';
import type { BridgePlan } from './links.ts';

/** One interface of a container: a veth pair whose host end is a port of a bridge. */
export interface InterfacePlan {
  /** Name of the host's end, at most 15 characters, unique on the host. */
  hostName: string;
  /** Name inside, for example `eth0`. */
  containerName: string;
  /** Bridge on the host. */
  bridge: string;
  /** `02:42:…` */
  macAddress: string;
  /** With prefix length, for example `172.17.0.2/16`. */
  addresses: string[];
  /** Of the default routes that lead through it, one a family at most. */
  gateways: string[];
  mtu: number;
  /** Lets a container reach its own published port where bridge-nf-call-iptables is 1. */
  hairpin: boolean;
  /** Kernel parameters of the interface, `net/ipv4/conf/eth0/log_martians=1`. */
  sysctls: string[];
}

export interface InterfaceAttacher {
  /** @param pid of a process in the container. Error: the kernel's refusal; nothing is left then. */
  attach(pid: number, plan: InterfacePlan): Promise<void>;
  /** Sends the container's default routes, of the gateways' families, through an interface that it has. */
  lead(pid: number, containerName: string, gateways: readonly string[]): Promise<void>;
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
    attach: (pid, plan) =>
      run([
        ...[helper, 'net-attach', `/proc/${pid}/ns/net`, plan.hostName, plan.containerName, plan.bridge],
        ...[plan.macAddress, String(plan.mtu), plan.hairpin ? '1' : '0', plan.gateways.join(',')],
        ...plan.addresses,
        ...plan.sysctls,
      ]),
    lead: (pid, containerName, gateways) =>
      run([helper, 'net-lead', `/proc/${pid}/ns/net`, containerName, ...gateways]),
    detach: (hostName) => run([helper, 'net-detach', hostName]),
    makeBridge: ({ name, address, address6, macAddress, alias, mtu }) =>
      run([
        ...[helper, 'net-bridge', name, macAddress, alias, String(mtu)],
        ...(address ? [formatCidr(address)] : []),
        ...(address6 ? [formatIpNetwork(address6)] : []),
      ]),
    remove: (hostNames) => run([helper, 'net-remove', ...hostNames]),
  };
}

async function run(command: string[]): Promise<void> {
  const child = Bun.spawn(command, { stdin: 'ignore', stdout: 'ignore', stderr: 'pipe' });
  const [code, text] = await Promise.all([child.exited, child.stderr.text()]);
  if (code !== 0) throw new Error(text.trim() || `${command[1]} ended with ${code}`);
}
