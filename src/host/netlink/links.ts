/** Bridges, addresses and routes of the host, by rtnetlink (rtnetlink(7)) and files of /proc/sys. */
import { readFileSync, writeFileSync } from 'node:fs';
import type { Cidr } from './cidr.ts';
import { addressBytes, formatIpNetwork, type IpNetwork, ipContains, ipNetworkOfCidr, lastIp } from './ip-network.ts';
import { errnoCode, SystemError } from './libc.ts';
import { MessageWriter, netlinkFlag, readAttributes, readText } from './message.ts';
import { NetlinkSocket, netlinkFamily } from './netlink-socket.ts';

/** An interface of the host. */
export interface Link {
  index: number;
  name: string;
  /** `bridge`, `veth`, …; empty for hardware. */
  kind: string;
  /** Index of the bridge that it is a port of; 0: none. */
  master: number;
  up: boolean;
  mtu: number;
  /** The text that it carries; empty: none. */
  alias: string;
}

export interface BridgePlan {
  name: string;
  /** Address of the bridge itself with the prefix length of its subnet; null: the engine gives it none. */
  address: Cidr | null;
  /** The same of IPv6; null: none, and the bridge has no IPv6 at all. */
  address6: IpNetwork | null;
  macAddress: string;
  mtu: number;
  /** A text that the interface carries (`ip link`); empty: none. */
  alias: string;
}

/** What the engine asks of the host's interfaces. All calls take microseconds but for changes of links, which wait for the kernel's lock. */
export interface Links {
  /** Every interface. */
  list(): Link[];
  /** One interface; null: there is none of that name. */
  find(name: string): Link | null;
  /** IPv4 addresses of an interface, or of all (null). */
  addresses(index: number | null): Cidr[];
  /** Destinations of the routes of both families in all tables; default routes and what IPv6 has on every interface left out. */
  routes(): IpNetwork[];
  /** Makes a bridge, or sets an existing one right: address, MTU, up. */
  ensureBridge(plan: BridgePlan): void;
  /** Nothing happens where it is gone already. */
  deleteLink(name: string): void;
  /** Reads a file of /proc/sys, `net/ipv4/ip_forward` for example; null: there is no such file. */
  readSysctl(path: string): string | null;
  writeSysctl(path: string, value: string): void;
}

const type = { newLink: 16, deleteLink: 17, getLink: 18, newAddress: 20, getAddress: 22, getRoute: 26 } as const;
const link = { address: 1, name: 3, mtu: 4, master: 10, info: 18, infoKind: 1, alias: 20, extensions: 29 } as const;
const address = { address: 1, local: 2, broadcast: 4 } as const;
const route = { destination: 1 } as const;
const inet = 2;
const inet6 = 10;
/** IFA_F_NODAD: nobody else has an address of the engine's, so that it counts at once. */
const withoutDetection = 2;
/** Link-local and multicast addresses of IPv6. */
const everywhere: readonly IpNetwork[] = [
  { version: 6, address: 0xfe80n << 112n, prefix: 10 },
  { version: 6, address: 0xffn << 120n, prefix: 8 },
];
const flagUp = 1;
const localTable = 255;
/** RTEXT_FILTER_SKIP_STATS: counters are half of what the kernel says of an interface. */
const withoutStatistics = 8;
const missing: ReadonlySet<number> = new Set([errnoCode.ENODEV, errnoCode.EINVAL, errnoCode.ERANGE]);

export class KernelLinks implements Links {
  readonly #socket = new NetlinkSocket(netlinkFamily.route);

  list(): Link[] {
    const writer = new MessageWriter();
    writer.begin(type.getLink, netlinkFlag.dump, linkHeader(0, 0));
    writer.u32(link.extensions, withoutStatistics);
    return this.#socket.dump(writer, 'list interfaces').map(({ payload }) => readLink(payload));
  }

  find(name: string): Link | null {
    const writer = new MessageWriter();
    writer.begin(type.getLink, 0, linkHeader(0, 0));
    writer.text(link.name, name);
    writer.u32(link.extensions, withoutStatistics);
    try {
      const [found] = this.#socket.dump(writer, `look for interface ${name}`);
      return found ? readLink(found.payload) : null;
    } catch (error) {
      // A name that the kernel cannot have is as good as one that it has not.
      if (error instanceof SystemError && missing.has(error.errno)) return null;
      throw error;
    }
  }

  addresses(index: number | null): Cidr[] {
    const writer = new MessageWriter();
    writer.begin(type.getAddress, netlinkFlag.dump, Buffer.of(inet, 0, 0, 0, 0, 0, 0, 0));
    return this.#socket
      .dump(writer, 'list addresses')
      .filter(({ payload }) => index === null || payload.readUInt32LE(4) === index)
      .map(({ payload }) => {
        const attributes = readAttributes(payload.subarray(8));
        const value = attributes.get(address.local) ?? attributes.get(address.address);
        return { address: value ? value.readUInt32BE(0) : 0, prefix: payload[1] ?? 0 };
      });
  }

  routes(): IpNetwork[] {
    // One question a family: a kernel without IPv6 answers that for it with those of IPv4.
    return ([4, 6] as const).flatMap((version) => {
      const writer = new MessageWriter();
      const family = version === 4 ? inet : inet6;
      writer.begin(type.getRoute, netlinkFlag.dump, Buffer.of(family, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0));
      return this.#socket
        .dump(writer, 'list routes')
        .filter(({ payload }) => payload[0] === family && payload[4] !== localTable && (payload[1] ?? 0) > 0)
        .map(({ payload }) => {
          const bytes = readAttributes(payload.subarray(12)).get(route.destination) ?? Buffer.alloc(16);
          return { version, address: BigInt(`0x${bytes.toString('hex')}`), prefix: payload[1] ?? 0 };
        })
        .filter((one) => !everywhere.some((those) => ipContains(those, one)));
    });
  }

  ensureBridge(plan: BridgePlan): void {
    let found = this.find(plan.name);
    if (found && found.kind !== 'bridge') throw new Error(`existing interface ${plan.name} is not a bridge`);
    if (!found) {
      this.#createBridge(plan);
      found = this.find(plan.name);
    }
    if (!found) throw new Error(`bridge ${plan.name} vanished`);
    const { address: wanted } = plan;
    const has = (one: Cidr): boolean => one.address === wanted?.address && one.prefix === wanted.prefix;
    if (wanted && !this.addresses(found.index).some(has)) this.#addAddress(found.index, ipNetworkOfCidr(wanted));
    this.#switchIpv6(plan);
    if (plan.address6) this.#addAddress(found.index, plan.address6);
    if (!found.up || found.mtu !== plan.mtu) {
      const writer = new MessageWriter();
      writer.begin(type.newLink, netlinkFlag.acknowledge, linkHeader(found.index, flagUp));
      writer.u32(link.mtu, plan.mtu);
      if (plan.alias !== '') writer.attribute(link.alias, Buffer.from(plan.alias));
      this.#socket.run(writer, `set bridge ${plan.name} up`);
    }
  }

  deleteLink(name: string): void {
    const writer = new MessageWriter();
    writer.begin(type.deleteLink, netlinkFlag.acknowledge, linkHeader(0, 0));
    writer.text(link.name, name);
    try {
      this.#socket.run(writer, `remove interface ${name}`);
    } catch (error) {
      if (!(error instanceof SystemError) || error.errno !== errnoCode.ENODEV) throw error;
    }
  }

  readSysctl(path: string): string | null {
    try {
      return readFileSync(`/proc/sys/${path}`, 'utf8').trim();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw error;
    }
  }

  writeSysctl(path: string, value: string): void {
    writeFileSync(`/proc/sys/${path}`, value);
  }

  close(): void {
    this.#socket.close();
  }

  /** The address is fixed, else it would follow the ports that come and go, and with it what neighbours remember. */
  #createBridge(plan: BridgePlan): void {
    const writer = new MessageWriter();
    const flags = netlinkFlag.acknowledge | netlinkFlag.create | netlinkFlag.exclusive;
    writer.begin(type.newLink, flags, linkHeader(0, 0));
    writer.text(link.name, plan.name);
    writer.attribute(link.address, Buffer.from(plan.macAddress.replaceAll(':', ''), 'hex'));
    writer.nest(link.info, () => writer.text(link.infoKind, 'bridge'));
    this.#socket.run(writer, `create bridge ${plan.name}`);
  }

  /** Without an address of it the bridge has no IPv6: containers would reach the host's services by its link-local address. */
  #switchIpv6({ name, address6 }: BridgePlan): void {
    const directory = `net/ipv6/conf/${name}`;
    const wanted = address6 ? '0' : '1';
    const now = this.readSysctl(`${directory}/disable_ipv6`);
    if (now !== null && now !== wanted) this.writeSysctl(`${directory}/disable_ipv6`, wanted);
    // A container is no router of the host.
    if (now !== null && address6) this.writeSysctl(`${directory}/accept_ra`, '0');
  }

  /** One that it has already is no error. */
  #addAddress(index: number, network: IpNetwork): void {
    const { version, prefix } = network;
    const writer = new MessageWriter();
    const header = Buffer.alloc(8);
    header[0] = version === 4 ? inet : inet6;
    header[1] = prefix;
    header[2] = version === 4 ? 0 : withoutDetection;
    header.writeUInt32LE(index, 4);
    const flags = netlinkFlag.acknowledge | netlinkFlag.create | netlinkFlag.exclusive;
    writer.begin(type.newAddress, flags, header);
    const bytes = addressBytes(version === 4 ? Number(network.address) : network.address);
    writer.attribute(address.local, bytes);
    writer.attribute(address.address, bytes);
    const broadcast = addressBytes(Number(lastIp(network) & 0xffff_ffffn));
    if (version === 4 && prefix < 31) writer.attribute(address.broadcast, broadcast);
    try {
      this.#socket.run(writer, `give the bridge its address ${formatIpNetwork(network)}`);
    } catch (error) {
      if (!(error instanceof SystemError) || error.errno !== errnoCode.EEXIST) throw error;
    }
  }
}

function readLink(payload: Buffer): Link {
  const attributes = readAttributes(payload.subarray(16));
  const info = attributes.get(link.info);
  return {
    index: payload.readInt32LE(4),
    name: readText(attributes.get(link.name)),
    kind: info ? readText(readAttributes(info).get(link.infoKind)) : '',
    master: attributes.get(link.master)?.readUInt32LE(0) ?? 0,
    up: (payload.readUInt32LE(8) & flagUp) !== 0,
    mtu: attributes.get(link.mtu)?.readUInt32LE(0) ?? 0,
    alias: readText(attributes.get(link.alias)),
  };
}

function linkHeader(index: number, flags: number): Buffer {
  const header = Buffer.alloc(16);
  header.writeInt32LE(index, 4);
  header.writeUInt32LE(flags, 8);
  header.writeUInt32LE(flags, 12);
  return header;
}

/** A bridge's MAC address: `02:42` and the address, as Docker's. */
export function macOfAddress(value: number): string {
  const hex = value.toString(16).padStart(8, '0');
  return `02:42:${hex.replace(/..(?=.)/g, '$&:')}`;
}
