import { BerthError } from '../../api/errors.ts';
import { parseAddress } from '../../host/netlink/cidr.ts';
import { ipv6Bytes } from '../../host/netlink/ip-network.ts';
import { errorText } from '../../host/netlink/libc.ts';
import type { PortProbe } from '../../host/netlink/port-probe.ts';
import type { PortRequest, Protocol } from './port-requests.ts';

/** A host port that a container has. */
export interface Publication {
  protocol: Protocol;
  /** `0.0.0.0`, `::`, or an address of the host. */
  hostAddress: string;
  hostPort: number;
  containerPort: number;
}

export interface PortBookOptions {
  probe: PortProbe;
  /** The host has IPv6: what is published everywhere is published there too. */
  ipv6: boolean;
  /** Where random ports come from, first and last. */
  range: readonly [number, number];
}

/** Ports looked at between two chances for other work. */
const portsPerTurn = 200;
/** As often another program may hold a port of a range or a random one before the search ends. */
const mostAttempts = 1000;

const anyAddress = { v4: '0.0.0.0', v6: '::' } as const;

/** Who has which host port. A port of every address excludes the same port of any one, separately for IPv4 and IPv6. */
export class PortBook {
  readonly #options: PortBookOptions;
  /** `tcp/8080` → host addresses. */
  readonly #taken = new Map<string, Set<string>>();
  #next: number;

  constructor(options: PortBookOptions) {
    this.#options = options;
    this.#next = options.range[0];
  }

  /**
   * Takes host ports for all requests, or none of them.
   * @param families in which the host is reached; what names an address of another one is passed over
   * @param target the container's address, for messages
   * Error: `internal` in dockerd's words for a port that a container or another program has.
   */
  async allocate(
    requests: readonly PortRequest[],
    { families, target }: { families: readonly (4 | 6)[]; target: string },
  ): Promise<Publication[]> {
    const done: Publication[] = [];
    try {
      for (const [index, request] of requests.entries()) {
        if (index > 0 && index % portsPerTurn === 0) await new Promise(setImmediate);
        done.push(...this.#allocate(request, families, target));
      }
      return done;
    } catch (error) {
      this.free(done);
      throw error;
    }
  }

  /** Takes what a row of the database names. */
  restore(publications: readonly Publication[]): void {
    for (const one of publications) this.#add(one);
  }

  free(publications: readonly Publication[]): void {
    for (const { protocol, hostPort, hostAddress } of publications) {
      const key = `${protocol}/${hostPort}`;
      const addresses = this.#taken.get(key);
      addresses?.delete(hostAddress);
      if (addresses?.size === 0) this.#taken.delete(key);
    }
  }

  #allocate(request: PortRequest, families: readonly (4 | 6)[], target: string): Publication[] {
    const addresses = this.#addresses(request.hostAddress, families);
    if (addresses.length === 0) return [];
    const isFixed = request.hostPorts !== null && request.hostPorts.first === request.hostPorts.last;
    let failure: BerthError | null = null;
    let attempts = 0;
    for (const hostPort of this.#candidates(request.hostPorts)) {
      const wanted = addresses.map((hostAddress) => ({
        protocol: request.protocol,
        hostAddress,
        hostPort,
        containerPort: request.containerPort,
      }));
      const conflict = this.#conflict(wanted);
      if (conflict !== null) {
        if (isFixed)
          throw new BerthError('internal', `Bind for ${conflict}:${hostPort} failed: port is already allocated`);
        continue;
      }
      failure = this.#probe(wanted, target);
      if (failure === null) {
        for (const one of wanted) this.#add(one);
        if (request.hostPorts === null) this.#next = hostPort + 1;
        return wanted;
      }
      if (isFixed || ++attempts >= mostAttempts) break;
    }
    throw failure ?? new BerthError('internal', 'all ports are allocated');
  }

  #addresses(hostAddress: string, families: readonly (4 | 6)[]): string[] {
    const known = this.#options.ipv6 ? [anyAddress.v4, anyAddress.v6] : [anyAddress.v4];
    const all = hostAddress === '' ? known : [hostAddress];
    return all.filter((one) => families.includes(one.includes(':') ? 6 : 4));
  }

  *#candidates(ports: PortRequest['hostPorts']): Generator<number> {
    const [first, last] = ports ? [ports.first, ports.last] : this.#options.range;
    const start = ports || this.#next < first || this.#next > last ? first : this.#next;
    for (let port = start; port <= last; port++) yield port;
    for (let port = first; port < start; port++) yield port;
  }

  /** The address that already has the port, or null. */
  #conflict(wanted: readonly Publication[]): string | null {
    for (const { protocol, hostPort, hostAddress } of wanted) {
      const isV6 = hostAddress.includes(':');
      const any = isV6 ? anyAddress.v6 : anyAddress.v4;
      for (const taken of this.#taken.get(`${protocol}/${hostPort}`) ?? []) {
        if (taken.includes(':') !== isV6) continue;
        if (taken === hostAddress || taken === any || hostAddress === any) return isV6 ? `[${taken}]` : taken;
      }
    }
    return null;
  }

  /** Why another program or the host stands in the way, or null. */
  #probe(wanted: readonly Publication[], target: string): BerthError | null {
    for (const { protocol, hostAddress, hostPort, containerPort } of wanted) {
      const errno = this.#options.probe(protocol, addressBytes(hostAddress), hostPort);
      if (errno === 0) continue;
      const shown = hostAddress.includes(':') ? `[${hostAddress}]` : hostAddress;
      return new BerthError(
        'internal',
        `failed to bind host port for ${shown}:${hostPort}:${target}:${containerPort}/${protocol}: ${errorText(errno)}`,
      );
    }
    return null;
  }

  #add({ protocol, hostPort, hostAddress }: Publication): void {
    const key = `${protocol}/${hostPort}`;
    const addresses = this.#taken.get(key) ?? new Set();
    addresses.add(hostAddress);
    this.#taken.set(key, addresses);
  }
}

function addressBytes(text: string): Uint8Array {
  const v4 = parseAddress(text);
  if (v4 !== null) return Uint8Array.of(v4 >>> 24, (v4 >>> 16) & 255, (v4 >>> 8) & 255, v4 & 255);
  return ipv6Bytes(text) ?? new Uint8Array(16);
}
