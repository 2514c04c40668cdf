import { readFile } from 'node:fs/promises';
import { KernelFirewall } from '../../host/firewall/kernel-firewall.ts';
import { hostLegacyTools, passLegacyChain } from '../../host/firewall/legacy-chain.ts';
import { NoFirewall } from '../../host/firewall/no-firewall.ts';
import { watchFirewall } from '../../host/firewall/watch.ts';
import { kernelAttacher } from '../../host/netlink/attacher.ts';
import { KernelLinks } from '../../host/netlink/links.ts';
import { probePort } from '../../host/netlink/port-probe.ts';
import type { BerthDatabase } from '../../store/db/database.ts';
import type { DefaultBridgeSettings } from './default-networks.ts';
import { type EtcFile, etcEditor } from './etc-editor.ts';
import type { HostSettings } from './host-settings.ts';
import { hostHasIpv6 } from './host-side.ts';
import type { Members } from './members.ts';
import { ResolverProcess } from './names/resolver-process.ts';
import { NetworkChanges, type NetworkChangesOptions } from './network-changes.ts';
import { Networks } from './networks.ts';

export interface KernelNetworksOptions {
  database: BerthDatabase;
  /** The default bridge. */
  bridge: DefaultBridgeSettings;
  host: HostSettings;
  /** What `host-gateway` stands for in `--add-host`; empty: the default bridge's address. */
  hostGateways: readonly string[];
  /** Path of the native helper program. */
  helper: string;
  /** Where the resolver process has its sockets, and where each container its directory. */
  resolver: { directory: string; containers: string };
  /** Where files of a container's /etc are. */
  etcPaths(containerId: string): Record<EtcFile, string>;
  /** Told what other programs broke and the engine mended. */
  onMended(what: string): void;
  /** For what goes wrong with nobody to tell. */
  report(message: string, error: unknown): void;
}

/** Networks on the real kernel, and the end of the engine's interest in them. */
export interface KernelNetworks {
  networks: Networks;
  /** Networks of users; `members` are the containers. */
  changes(members: Members, publish: NetworkChangesOptions['publish']): NetworkChanges;
  /** Where no container is left, takes the engine's bridges and table away; otherwise everything goes on as it is. */
  close(): Promise<void>;
}

/** The default bridge's firewall table is `berth`, that of another one `berth-<bridge>`: engines do not meet. */
function tableName(bridge: string): string {
  return bridge === 'berth0' ? 'berth' : `berth-${bridge}`;
}

/** Makes bridge and firewall table, and keeps them while others change the packet filter. Errors as `Networks`. */
export async function openKernelNetworks(options: KernelNetworksOptions): Promise<KernelNetworks> {
  const { database, bridge, host, helper, onMended, report } = options;
  const links = new KernelLinks();
  const table = tableName(bridge.bridge);
  const firewall = host.filter ? new KernelFirewall(table) : new NoFirewall(table);
  let changes: NetworkChanges | null = null;
  const names = new ResolverProcess({ ...options.resolver, running: () => changes?.runningNames() ?? [], report });
  const networks = new Networks({
    database,
    links,
    firewall,
    probe: probePort,
    settings: bridge,
    host,
    hostGateways: options.hostGateways,
    hostHasIpv6: hostHasIpv6(),
    readHostFile,
    names,
    etc: etcEditor(options.etcPaths),
    report,
  });
  const mend = (): void => {
    try {
      for (const what of networks.mend()) onMended(what);
    } catch (error) {
      report('mend the packet filter', error);
    }
  };
  const endWatch = host.filter ? await watchFirewall(mend) : () => undefined;
  const passLegacy = async (): Promise<void> => {
    if (!host.filter) return;
    const bridges = networks.state.networks.all().flatMap((network) => (network.bridge ? [network.bridge.name] : []));
    await passLegacyChains(firewall.table, bridges);
  };
  await passLegacy();
  return {
    networks,
    changes(members, publish) {
      changes = new NetworkChanges({
        networks,
        members,
        publish,
        report,
        attacher: kernelAttacher(helper),
        async settled() {
          await Promise.all([passLegacy(), database.durable()]);
        },
      });
      return changes;
    },
    async close() {
      endWatch();
      await Promise.all([changes?.close(), names.close()]);
      if (networks.leaveHost() && host.filter) await passLegacyChains(firewall.table, []);
      firewall.close();
      links.close();
    },
  };
}

async function passLegacyChains(owner: string, bridges: readonly string[]): Promise<void> {
  await Promise.all(hostLegacyTools.map((tools) => passLegacyChain(owner, bridges, tools)));
}

async function readHostFile(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}
