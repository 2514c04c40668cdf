/**
 * Names on users' networks: every container finds the others of its networks in its /etc/hosts, under their names, aliases and
 * short ids. Works while the engine is dead, and for every program that asks the C library.
 */
import { setTimeout } from 'node:timers/promises';
import { formatAddress } from '../../host/netlink/cidr.ts';
import type { Endpoint } from './endpoint-table.ts';
import type { HostsEditor } from './hosts-editor.ts';
import { isPredefined } from './network-filters.ts';
import type { NetworkState } from './network-state.ts';
import { namesOf } from './sandbox-shapes.ts';

const heading = '# Containers on the same networks, kept by Berth:\n';
const ending = '# End of containers on the same networks\n';
const blockPattern = new RegExp(`${heading}[^]*?${ending}`);
/** A container that just got its address has no file for a moment. */
const retryMs = 20;
const mostRetries = 100;

export class PeerNames {
  readonly #state: NetworkState;
  readonly #editor: HostsEditor;
  readonly #report: (message: string, error: unknown) => void;
  /** Containers whose file may be old. */
  readonly #stale = new Set<string>();
  #work: Promise<void> | null = null;

  constructor(state: NetworkState, editor: HostsEditor, report: (message: string, error: unknown) => void) {
    this.#state = state;
    this.#editor = editor;
    this.#report = report;
  }

  /** What a container's file says of others; empty where it is on no network of a user. */
  block(containerId: string): string {
    const lines = this.#state.endpoints.of(containerId).flatMap((own) =>
      this.#peers(own.network)
        .filter((peer) => peer.container !== containerId)
        .map((peer) => `${formatAddress(peer.address ?? 0)}\t${namesOf(peer).join(' ')}\n`),
    );
    return lines.length === 0 ? '' : `${heading}${lines.join('')}${ending}`;
  }

  /** Somebody came to or left a network: the files of all who are there follow soon. */
  changed(networkId: string): void {
    for (const { container } of this.#peers(networkId)) this.#stale.add(container);
    if (this.#stale.size > 0) this.#work ??= this.#update();
  }

  /** A container left its last network of a user. */
  left(containerId: string): void {
    this.#stale.add(containerId);
    this.#work ??= this.#update();
  }

  /** Resolves when no file is old. */
  async settled(): Promise<void> {
    while (this.#work) await this.#work;
  }

  #peers(networkId: string): Endpoint[] {
    const network = this.#state.networks.all().find(({ id }) => id === networkId);
    return !network || isPredefined(network) ? [] : this.#state.endpoints.onNetwork(networkId);
  }

  async #update(): Promise<void> {
    for (let retries = 0; this.#stale.size > 0 && retries < mostRetries; ) {
      const missing: string[] = [];
      for (const container of [...this.#stale]) {
        this.#stale.delete(container);
        if (!(await this.#write(container))) missing.push(container);
      }
      if (missing.length === 0) continue;
      for (const container of missing) this.#stale.add(container);
      retries++;
      await setTimeout(retryMs);
    }
    this.#stale.clear();
    this.#work = null;
  }

  /** False: the container has an address, but its file is still to come. */
  async #write(container: string): Promise<boolean> {
    try {
      const found = await this.#editor.edit(container, (text) => {
        const block = this.block(container);
        return blockPattern.test(text) ? text.replace(blockPattern, () => block) : `${text}${block}`;
      });
      return found || this.#state.endpoints.of(container).length === 0;
    } catch (error) {
      this.#report(`write the hosts file of ${container}`, error);
      return true;
    }
  }
}
