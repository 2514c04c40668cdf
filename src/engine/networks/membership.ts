/** What connecting a container to a network means for its record. */
import { BerthError } from '../../api/errors.ts';
import type { EndpointSettings } from '../../api/types/network.ts';
import type { Endpoint } from './endpoint-table.ts';
import { hostsLine, ownNames } from './etc-files.ts';
import type { Member } from './members.ts';
import type { Network } from './network-table.ts';
import { addressesOf } from './sandbox-shapes.ts';

/** What the container joins, without this network. */
export function withoutNetwork(
  wanted: Readonly<Record<string, EndpointSettings>>,
  { id, name }: Network,
): Record<string, EndpointSettings> {
  const isIt = (key: string): boolean => key === name || key === id || (key === 'default' && name === 'bridge');
  return Object.fromEntries(Object.entries(wanted).filter(([key]) => !isIt(key)));
}

/** Error: `invalid` in dockerd's words for a container that starts with networks that do not go together. */
export function checkTogether(networks: readonly Network[], networkMode: string): void {
  const [first, ...others] = networks;
  const wanted = first ? { [first.name]: wished(null) } : {};
  for (const network of others) checkJoinable(network, { networkMode, wanted });
}

/** Error: `invalid` in dockerd's words for a container and a network that do not go together. */
export function checkJoinable(network: Network, { networkMode, wanted }: Pick<Member, 'networkMode' | 'wanted'>): void {
  if (network.driver === 'host')
    throw new BerthError(
      'invalid',
      'cannot connect container to host network - container must be created in host network mode',
    );
  if (networkMode === 'host' || networkMode.startsWith('container:'))
    throw new BerthError(
      'invalid',
      'container sharing network namespace with another container or host cannot be connected to any other network',
    );
  const isNone = network.driver === 'null' && network.configuration === null;
  if ((isNone && Object.keys(wanted).length > 0) || 'none' in wanted)
    throw new BerthError(
      'invalid',
      'container cannot be connected to multiple networks with one of the networks in private (none) mode',
    );
}

/** The wish as the container's record keeps it: what a client echoes of an earlier state is dropped. */
export function wished(settings: EndpointSettings | null): EndpointSettings {
  return {
    IPAMConfig: settings?.IPAMConfig ?? null,
    Links: settings?.Links ?? null,
    Aliases: settings?.Aliases ?? null,
    MacAddress: settings?.MacAddress ?? '',
    DriverOpts: settings?.DriverOpts ?? null,
    GwPriority: settings?.GwPriority ?? 0,
    NetworkID: '',
    EndpointID: '',
    Gateway: '',
    IPAddress: '',
    IPPrefixLen: 0,
    IPv6Gateway: '',
    GlobalIPv6Address: '',
    GlobalIPv6PrefixLen: 0,
    DNSNames: null,
  };
}

/** The container's own lines in its /etc/hosts, one for each address on a network. */
export function ownLines(endpoint: Endpoint, member: Member): string {
  const names = ownNames(member.hostname, member.domainname);
  return addressesOf(endpoint)
    .map((address) => hostsLine(address, names))
    .join('');
}
