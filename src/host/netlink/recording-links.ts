import type { Cidr } from './cidr.ts';
import { type IpNetwork, ipNetworkOfCidr } from './ip-network.ts';
import type { BridgePlan, Link, Links } from './links.ts';

/** Interfaces that exist only here, for tests of what stands above them. */
export class RecordingLinks implements Links {
  readonly links: Link[] = [{ index: 1, name: 'lo', kind: '', master: 0, up: true, mtu: 65_536, alias: '' }];
  readonly sysctls = new Map<string, string>([['net/ipv4/ip_forward', '1']]);
  /** Destinations beside those of the bridges made here. */
  readonly foreignRoutes: IpNetwork[] = [];
  readonly #addresses = new Map<number, Cidr[]>();
  readonly #addresses6 = new Map<number, IpNetwork>();

  list(): Link[] {
    return [...this.links];
  }

  find(name: string): Link | null {
    return this.links.find((link) => link.name === name) ?? null;
  }

  addresses(index: number | null): Cidr[] {
    if (index === null) return [...this.#addresses.values()].flat();
    return this.#addresses.get(index) ?? [];
  }

  routes(): IpNetwork[] {
    const own = [...this.#addresses.values()].flat().map(ipNetworkOfCidr);
    return [...this.foreignRoutes, ...own, ...this.#addresses6.values()];
  }

  ensureBridge(plan: BridgePlan): void {
    let link = this.links.find((one) => one.name === plan.name);
    if (!link) {
      const { name, mtu, alias } = plan;
      link = { index: this.links.length + 1, name, kind: 'bridge', master: 0, up: true, mtu, alias };
      this.links.push(link);
    }
    this.#addresses.set(link.index, plan.address ? [plan.address] : []);
    if (plan.address6) this.#addresses6.set(link.index, plan.address6);
  }

  deleteLink(name: string): void {
    const at = this.links.findIndex((link) => link.name === name);
    if (at < 0) return;
    const index = this.links[at]?.index ?? 0;
    this.#addresses.delete(index);
    this.#addresses6.delete(index);
    this.links.splice(at, 1);
  }

  readSysctl(path: string): string | null {
    return this.sysctls.get(path) ?? null;
  }

  writeSysctl(path: string, value: string): void {
    this.sysctls.set(path, value);
  }
}
