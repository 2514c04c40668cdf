import type { FilteredNetwork, Firewall, PublishedPort, TableContent } from './types.ts';

/** A firewall that only keeps books, for tests of what stands above it. */
export class RecordingFirewall implements Firewall {
  readonly table: string;
  content: TableContent | null = null;
  /** Every change in order: `rebuild`, `publish tcp 8080`, `withdraw tcp 8080`, `pass berth0`, `remove`. */
  readonly calls: string[] = [];

  constructor(table = 'berth') {
    this.table = table;
  }

  rebuild(content: TableContent): void {
    this.calls.push('rebuild');
    this.content = { ...content, ports: [...content.ports] };
  }

  addNetwork(network: FilteredNetwork): void {
    if (!this.content) throw new Error('the table is not there');
    this.calls.push(`add ${network.bridge}`);
    this.content = { ...this.content, networks: [...this.content.networks, network] };
  }

  removeNetwork({ bridge }: FilteredNetwork): void {
    if (!this.content) throw new Error('the table is not there');
    this.calls.push(`remove ${bridge}`);
    const networks = this.content.networks.filter((network) => network.bridge !== bridge);
    this.content = { ...this.content, networks };
  }

  exists(): boolean {
    return this.content !== null;
  }

  publish(ports: readonly PublishedPort[]): void {
    if (!this.content) throw new Error('the table is not there');
    this.calls.push(...ports.map((port) => `publish ${port.protocol} ${port.hostPort}`));
    this.content = { ...this.content, ports: [...this.content.ports, ...ports] };
  }

  withdraw(ports: readonly PublishedPort[]): void {
    if (!this.content) return;
    this.calls.push(...ports.map((port) => `withdraw ${port.protocol} ${port.hostPort}`));
    const gone = new Set(ports.map(keyOf));
    this.content = { ...this.content, ports: this.content.ports.filter((port) => !gone.has(keyOf(port))) };
  }

  passForeignChains(bridges: readonly string[]): string[] {
    this.calls.push(`pass ${bridges.join(' ')}`);
    return [];
  }

  remove(): void {
    this.calls.push('remove');
    this.content = null;
  }
}

function keyOf(port: PublishedPort): string {
  return `${port.protocol} ${port.hostAddress} ${port.hostPort}`;
}
