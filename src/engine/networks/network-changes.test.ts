import { describe, expect, test } from 'bun:test';
import type { EndpointSettings, IPAMPool, NetworkCreateRequest } from '../../api/types/network.ts';
import { RecordingFirewall } from '../../host/firewall/recording-firewall.ts';
import type { InterfaceAttacher } from '../../host/netlink/attacher.ts';
import { type IpNetwork, parseIpNetwork } from '../../host/netlink/ip-network.ts';
import { RecordingLinks } from '../../host/netlink/recording-links.ts';
import { BerthDatabase } from '../../store/db/database.ts';
import { plainBridge } from './default-networks.ts';
import type { EtcEditor } from './etc-editor.ts';
import { plainHost } from './host-settings.ts';
import type { Member, MemberChange } from './members.ts';
import { RecordingNames } from './names/recording-names.ts';
import { NetworkChanges } from './network-changes.ts';
import { Networks } from './networks.ts';
import { subnetPools } from './subnets.ts';

const testPools = subnetPools([], 'an engine');

/** An engine with one container `c` that runs (pid 7), or does not (pid null). */
function fixture(pid: number | null = 7) {
  let hosts = '127.0.0.1\tlocalhost\n';
  let resolvConf = '';
  const etc: EtcEditor = {
    async edit(_container, file, change) {
      if (file === 'hosts') hosts = change(hosts);
      else resolvConf = change(resolvConf);
      return true;
    },
  };
  const names = new RecordingNames();
  const links = new RecordingLinks();
  const firewall = new RecordingFirewall();
  const networks = new Networks({
    database: new BerthDatabase(':memory:'),
    links,
    firewall,
    probe: () => 0,
    settings: { ...plainBridge, bridge: 'berth0', bip: '', mtu: 1500, pools: testPools },
    host: plainHost,
    report: () => {},
    hostGateways: [],
    hostHasIpv6: true,
    readHostFile: async () => '',
    names,
    etc,
  });
  const calls: string[] = [];
  const events: string[] = [];
  let refuse = false;
  const attacher: InterfaceAttacher = {
    async attach(target, { containerName, bridge, gateways }) {
      if (refuse) throw new Error('the kernel refuses');
      calls.push(`attach ${target} ${containerName} ${bridge.slice(0, 3)} ${gateways.join(' ') || 'none'}`);
    },
    async lead(target, containerName, gateways) {
      calls.push(`lead ${target} ${containerName} ${gateways.join(' ')}`);
    },
    async detach() {
      calls.push('detach');
    },
    async makeBridge(plan) {
      if (refuse) throw new Error('the kernel refuses');
      links.ensureBridge(plan);
    },
    async remove(names) {
      for (const name of names) links.deleteLink(name);
    },
  };
  let member: Member = {
    id: 'c'.repeat(64),
    name: 'c',
    hostname: 'host',
    domainname: '',
    networkMode: 'bridge',
    dns: { dns: [], dnsOptions: [], dnsSearch: [] },
    pid,
    wanted: { bridge: {} as EndpointSettings },
    current: {},
  };
  const changes = new NetworkChanges({
    networks,
    attacher,
    members: {
      pidOf: () => pid,
      async change(_reference, work) {
        const change: MemberChange = await work(member);
        member = {
          ...member,
          ...(change.wanted && { wanted: change.wanted }),
          ...(change.current && { current: change.current }),
        };
      },
    },
    publish: (action, network) => events.push(`${action} ${network.name}`),
    settled: async () => {},
    report: (message, error) => calls.push(`${message}: ${error}`),
  });
  return {
    networks,
    changes,
    links,
    firewall,
    calls,
    events,
    member: () => member,
    hosts: () => hosts,
    names,
    refuseAll: () => {
      refuse = true;
    },
  };
}

function v6(Subnet: string, more: IPAMPool = {}): Partial<NetworkCreateRequest> {
  return { EnableIPv6: true, IPAM: { Driver: '', Options: null, Config: [{ Subnet, ...more }] } };
}

function wish(Name: string, more: Partial<NetworkCreateRequest> = {}): NetworkCreateRequest {
  return {
    Name,
    Driver: '',
    Scope: '',
    EnableIPv4: null,
    EnableIPv6: null,
    IPAM: null,
    Internal: false,
    Attachable: false,
    Ingress: false,
    ConfigOnly: false,
    ConfigFrom: null,
    Options: null,
    Labels: null,
    ...more,
  };
}

function pool(Subnet: string, more: Record<string, unknown> = {}): Partial<NetworkCreateRequest> {
  return { IPAM: { Driver: 'default', Options: null, Config: [{ Subnet, ...more }] } };
}

describe('create', () => {
  test('makes a bridge, opens the firewall and tells', async () => {
    const { changes, networks, links, firewall, events } = fixture();
    const { Id } = await changes.create(
      wish('one', { ...pool('10.5.0.0/24', { IPRange: '10.5.0.128/25' }), Labels: { a: 'b' } }),
    );
    expect(networks.inspect('one')).toMatchObject({
      Id,
      Driver: 'bridge',
      IPAM: { Config: [{ Subnet: '10.5.0.0/24', IPRange: '10.5.0.128/25', Gateway: '10.5.0.128' }] },
      Labels: { a: 'b' },
    });
    const link = links.list().find(({ name }) => name === `br-${Id.slice(0, 12)}`);
    expect(link).toMatchObject({ kind: 'bridge', alias: 'berth0' });
    expect(firewall.content?.networks.map(({ bridge }) => bridge)).toEqual(['berth0', link?.name as string]);
    expect(events).toEqual(['create one']);
  });

  test('makes networks of IPv6, beside IPv4 or alone, and shows what was asked for first', async () => {
    const { changes, networks, links } = fixture();
    await changes.create(wish('both', { EnableIPv6: true }));
    const { EnableIPv4, EnableIPv6, IPAM } = networks.inspect('both');
    expect([EnableIPv4, EnableIPv6]).toEqual([true, true]);
    const [, picked] = IPAM.Config ?? [];
    expect(picked?.Subnet).toMatch(/^fd[0-9a-f:]+::\/64$/);
    expect(picked?.Gateway).toBe(picked?.Subnet?.replace('/64', '1'));
    await changes.create(wish('alone', { EnableIPv6: true, EnableIPv4: false }));
    expect(networks.inspect('alone').IPAM.Config).toHaveLength(1);
    expect(networks.inspect('alone').EnableIPv4).toBe(false);
    const auxiliary = { AuxiliaryAddresses: { router: 'fd01::1' } };
    await changes.create(wish('asked', v6('fd01::/64', { IPRange: 'fd01::1:0:0:0/80', ...auxiliary })));
    expect(networks.inspect('asked').IPAM.Config?.[0]).toEqual({
      ...{ Subnet: 'fd01::/64', IPRange: 'fd01::1:0:0:0/80', Gateway: 'fd01::1:0:0:0', ...auxiliary },
    });
    await expect(changes.create(wish('x', v6('fd01::/80')))).rejects.toThrow('Pool overlaps with other one');
    expect(links.routes().filter(({ version }) => version === 6)).toHaveLength(3);
  });

  test('keeps what is said of a family that the network does not have', async () => {
    const { changes, networks } = fixture();
    await changes.create(wish('one', { ...v6('2001:389::1/64'), EnableIPv6: false }));
    expect(networks.inspect('one').IPAM.Config?.[0]).toEqual({ Subnet: '2001:389::1/64' });
    await changes.connect('one', 'c', { IPAMConfig: { IPv6Address: '2001:389::f00d' } } as EndpointSettings);
    const [endpoint] = Object.values(networks.inspect('one').Containers);
    expect(endpoint).toMatchObject({ IPv6Address: '' });
  });

  test('picks a subnet that neither a route nor a network has', async () => {
    const { changes, networks, links } = fixture();
    links.foreignRoutes.push(parseIpNetwork('172.18.0.0/16') as IpNetwork);
    await changes.create(wish('one'));
    expect(networks.inspect('one').IPAM.Config?.[0]?.Subnet).toBe('172.19.0.0/16');
  });

  test('leaves nothing when the kernel refuses', async () => {
    const { changes, networks, firewall, refuseAll } = fixture();
    refuseAll();
    await expect(changes.create(wish('one'))).rejects.toThrow('the kernel refuses');
    expect(networks.list(new Map())).toHaveLength(3);
    expect(firewall.content?.networks).toHaveLength(1);
  });

  test.each([
    ['operation is not permitted on predefined bridge network', wish('bridge')],
    ['only one instance of "null" network is allowed', wish('x', { Driver: 'null' })],
    ['plugin "foo" not found', wish('x', { Driver: 'foo' })],
    ['plugin "bar" not found', wish('x', { IPAM: { Driver: 'bar', Options: null, Config: null } })],
    ['network driver macvlan is not supported by this engine yet', wish('x', { Driver: 'macvlan' })],
    ['IPv4 or IPv6 must be enabled', wish('x', { EnableIPv4: false })],
    ['invalid subnet fd01::1/64: it should be fd01::/64', wish('x', v6('fd01::1/64'))],
    [
      "gateway fd02::1: parent subnet fd01::/64 doesn't contain this address",
      wish('x', v6('fd01::/64', { Gateway: 'fd02::1' })),
    ],
    ['failed to allocate gateway (fd01::): Address already in use', wish('x', v6('fd01::/64', { Gateway: 'fd01::' }))],
    ["multicast subnet 'ff02::1/64' is not allowed", wish('x', v6('ff02::/64'))],
    [
      'gateway_mode_ipv6 value: x (unknown gateway mode x)',
      wish('x', { Options: { 'com.docker.network.bridge.gateway_mode_ipv6': 'x' } }),
    ],
    ['Pool overlaps with other one on this address space', wish('x', pool('172.17.5.0/24'))],
    ['invalid subnet 10: invalid CIDR block notation', wish('x', pool('10'))],
    ['invalid subnet 10.0.0.1/24: it should be 10.0.0.0/24', wish('x', pool('10.0.0.1/24'))],
    [
      "invalid gateway 10.1.0.1: parent subnet 10.0.0.0/24 doesn't contain this address",
      wish('x', pool('10.0.0.0/24', { Gateway: '10.1.0.1' })),
    ],
    ['invalid gateway x: invalid address', wish('x', pool('10.0.0.0/24', { Gateway: 'x' }))],
    [
      "invalid ip-range 10.1.0.0/25: parent subnet 10.0.0.0/24 doesn't contain ip-range",
      wish('x', pool('10.0.0.0/24', { IPRange: '10.1.0.0/25' })),
    ],
    ['networks have same bridge name', wish('x', { Options: { 'com.docker.network.bridge.name': 'berth0' } })],
    ['invalid bridge name: a/b', wish('x', { Options: { 'com.docker.network.bridge.name': 'a/b' } })],
    ['parsing "abc": invalid syntax', wish('x', { Options: { 'com.docker.network.driver.mtu': 'abc' } })],
    ['parsing "maybe": invalid syntax', wish('x', { Options: { 'com.docker.network.bridge.enable_icc': 'maybe' } })],
  ])('refuses: %s', async (words, request) => {
    const { changes, networks } = fixture();
    await expect(changes.create(request)).rejects.toThrow(words);
    expect(networks.list(new Map())).toHaveLength(3);
  });
});

describe('remove and prune', () => {
  test('take the bridge away, but not under a container', async () => {
    const { changes, networks, links, firewall } = fixture();
    await changes.create(wish('one'));
    await changes.connect('one', 'c', null);
    await expect(changes.remove('one')).rejects.toThrow(
      /network one has active endpoints \(name:"c" id:"[0-9a-f]{12}"\)/,
    );
    expect(await changes.prune(new Map())).toEqual({ NetworksDeleted: null });
    await changes.disconnect('one', 'c', false);
    await changes.remove('one');
    await changes.close();
    expect(links.list().map(({ name }) => name)).toEqual(['lo', 'berth0']);
    expect(firewall.content?.networks).toHaveLength(1);
    expect(() => networks.inspect('one')).toThrow('network one not found');
    await expect(changes.remove('bridge')).rejects.toThrow('bridge is a pre-defined network and cannot be removed');
  });

  test('prune looks at labels and names what went', async () => {
    const { changes } = fixture();
    await changes.create(wish('old', { Labels: { keep: 'no' } }));
    await changes.create(wish('new'));
    expect(await changes.prune(new Map([['label', ['keep=no']]]))).toEqual({ NetworksDeleted: ['old'] });
    expect(await changes.prune(new Map())).toEqual({ NetworksDeleted: ['new'] });
  });

  test('two that prune at once share what goes', async () => {
    const { changes } = fixture();
    for (const name of ['one', 'two', 'three']) await changes.create(wish(name));
    const reports = await Promise.all([changes.prune(new Map()), changes.prune(new Map())]);
    expect(reports.flatMap(({ NetworksDeleted }) => NetworksDeleted ?? []).sort()).toEqual(['one', 'three', 'two']);
  });
});

describe('IPv6', () => {
  test('makes the host a router with the first network that has it, for containers alone; it keeps its own way out', async () => {
    const { changes, links, firewall } = fixture();
    links.links.push({ index: 9, name: 'eth0', kind: '', master: 0, up: true, mtu: 1500, alias: '' });
    const [forwarding, accepting] = ['net/ipv6/conf/all/forwarding', 'net/ipv6/conf/eth0/accept_ra'];
    for (const [name, value] of [
      [forwarding, '0'],
      ['net/ipv6/conf/default/forwarding', '0'],
      [accepting, '1'],
    ] as const)
      links.sysctls.set(name, value);
    await changes.create(wish('four'));
    expect(links.sysctls.get(forwarding)).toBe('0');
    await changes.create(wish('six', { EnableIPv6: true }));
    expect([links.sysctls.get(forwarding), links.sysctls.get(accepting)]).toEqual(['1', '2']);
    expect(firewall.content?.separated).toEqual({ 4: [], 6: ['eth0'] });
    await changes.create(wish('more', { EnableIPv6: true }));
    expect(firewall.content?.separated[6]).toEqual(['eth0']);
  });

  test('comes and goes with its network: addresses, default routes, the hosts file', async () => {
    const { changes, calls, member, hosts } = fixture();
    await changes.create(wish('four', pool('10.5.0.0/24')));
    await changes.create(wish('six', { ...v6('fd06::/64'), EnableIPv4: false }));
    await changes.create(wish('both', v6('fd07::/64')));
    await changes.connect('four', 'c', null);
    await changes.connect('six', 'c', { IPAMConfig: { IPv6Address: 'fd06::0:99' } } as EndpointSettings);
    expect(calls).toEqual(['attach 7 eth0 br- 10.5.0.1', 'attach 7 eth1 br- fd06::1']);
    expect(member().current['six']).toMatchObject({
      ...{ IPAddress: '', Gateway: '', IPAMConfig: { IPv6Address: 'fd06::0:99' } },
      ...{ GlobalIPv6Address: 'fd06::99', GlobalIPv6PrefixLen: 64, IPv6Gateway: 'fd06::1' },
    });
    await changes.connect('both', 'c', null);
    expect(calls.slice(2)).toEqual(['attach 7 eth2 br- none', 'lead 7 eth2 172.18.0.1 fd07::1']);
    expect(hosts()).toContain('fd06::99\thost\n172.18.0.2\thost\nfd07::2\thost\n');
    await changes.disconnect('both', 'c', false);
    expect(calls.slice(4)).toEqual(['detach', 'lead 7 eth0 10.5.0.1', 'lead 7 eth1 fd06::1']);
    expect(hosts()).toBe('127.0.0.1\tlocalhost\n10.5.0.2\thost\nfd06::99\thost\n');
  });

  test.each([
    ['invalid IPv6 address: 10.0.0.1', 'asked', '10.0.0.1'],
    ['no configured subnet or ip-range contain the IP address fd09::1', 'asked', 'fd09::1'],
    ['supported only when connecting to networks with user configured subnets', 'picked', 'fd09::1'],
    ['supported on user defined networks only', 'bridge', 'fd09::1'],
    ['Address already in use', 'asked', 'fd01::1'],
  ])('refuses: %s', async (words, network, IPv6Address) => {
    const { changes } = fixture();
    await changes.create(wish('asked', v6('fd01::/64')));
    await changes.create(wish('picked', { EnableIPv6: true }));
    const settings = { IPAMConfig: { IPv6Address } } as EndpointSettings;
    await expect(changes.connect(network, 'c', settings)).rejects.toThrow(words);
  });
});

describe('connect and disconnect', () => {
  test('change the interface, the books, the hosts file and the record', async () => {
    const { changes, networks, calls, events, member, hosts } = fixture();
    await changes.create(wish('one', pool('10.5.0.0/24')));
    await changes.create(wish('two', pool('10.6.0.0/24')));
    await changes.connect('one', 'c', null);
    await changes.connect('two', 'c', { IPAMConfig: { IPv4Address: '10.6.0.9' }, Aliases: ['al'] } as EndpointSettings);
    expect(calls).toEqual(['attach 7 eth0 br- 10.5.0.1', 'attach 7 eth1 br- none']);
    expect(member().current['two']).toMatchObject({
      IPAddress: '10.6.0.9',
      DNSNames: ['c', 'al', 'cccccccccccc', 'host'],
    });
    expect(Object.keys(member().wanted)).toEqual(['bridge', 'one', 'two']);
    expect(hosts()).toBe('127.0.0.1\tlocalhost\n10.5.0.2\thost\n10.6.0.9\thost\n');
    await changes.disconnect('one', 'c', false);
    expect(calls.slice(2)).toEqual(['detach', 'lead 7 eth1 10.6.0.1']);
    expect(hosts()).toBe('127.0.0.1\tlocalhost\n10.6.0.9\thost\n');
    expect(Object.keys(networks.inspect('one').Containers)).toEqual([]);
    expect(events.slice(2)).toEqual(['connect one', 'connect two', 'disconnect one']);
  });

  test('of a container that does not run only change the record', async () => {
    const { changes, calls, member } = fixture(null);
    await changes.create(wish('one'));
    await changes.connect('one', 'c', null);
    await changes.connect('one', 'c', null);
    await changes.disconnect('bridge', 'c', false);
    expect(Object.keys(member().wanted)).toEqual(['one']);
    expect(calls).toEqual([]);
  });

  test('leave nothing when the kernel refuses', async () => {
    const { changes, networks, member, refuseAll } = fixture();
    await changes.create(wish('one'));
    refuseAll();
    await expect(changes.connect('one', 'c', null)).rejects.toThrow('the kernel refuses');
    expect(networks.inspect('one').Containers).toEqual({});
    expect(Object.keys(member().wanted)).toEqual(['bridge']);
  });
});

test('a connect whose names nobody takes leaves route, ports and books as they were', async () => {
  const { changes, networks, names, calls, hosts, firewall } = fixture();
  await changes.create(wish('aaa'));
  const request = {
    dns: [],
    dnsOptions: [],
    dnsSearch: [],
    extraHosts: [],
    links: [],
    exposedPorts: [],
    endpoints: [],
  };
  await networks.allocate({
    ...request,
    ...{ containerId: 'c'.repeat(64), containerName: 'c', hostname: 'host', domainname: '', networkMode: 'bridge' },
    ...{ joinPid: null, macAddress: null, publishAllPorts: false },
    portBindings: { '80/tcp': [{ HostPort: '8080' }] },
  });
  const before = { hosts: hosts(), ports: firewall.content?.ports, endpoints: networks.state.endpoints.all().length };
  names.put = () => Promise.reject(new Error('the resolver is away'));
  await expect(changes.connect('aaa', 'c', null)).rejects.toThrow('the resolver is away');
  expect(calls.map((call) => call.split(' ')[0])).toEqual(['attach', 'lead', 'detach', 'lead']);
  expect(calls.at(-1)).toContain('172.17.0.1');
  expect({
    hosts: hosts(),
    ports: firewall.content?.ports,
    endpoints: networks.state.endpoints.all().length,
  }).toEqual(before);
});

describe('a configuration network', () => {
  const pools = { Config: [{ Subnet: '10.66.0.0/24', Gateway: '10.66.0.9' }], Driver: 'default', Options: {} };
  const configuration = {
    ConfigOnly: true,
    IPAM: pools,
    Labels: { a: 'b' },
    Options: { 'com.docker.network.driver.mtu': '1300' },
  };
  const from = (Network: string): Partial<NetworkCreateRequest> => ({ ConfigFrom: { Network } });

  test('is on no host, and others are made with it', async () => {
    const { changes, networks, links } = fixture();
    const before = links.list().length;
    await changes.create(wish('cfg', configuration));
    expect(links.list()).toHaveLength(before);
    expect(networks.inspect('cfg')).toMatchObject({ Driver: 'null', ConfigOnly: true, IPAM: { Config: pools.Config } });
    await changes.create(wish('real', from('cfg')));
    expect(networks.inspect('real')).toMatchObject({
      Driver: 'bridge',
      ConfigFrom: { Network: 'cfg' },
      IPAM: { Config: pools.Config },
      Labels: { a: 'b' },
      Options: configuration.Options,
    });
    await expect(changes.remove('cfg')).rejects.toThrow('configuration network "cfg" is in use');
    await expect(changes.connect('cfg', 'c', null)).rejects.toThrow('on configuration-only network');
    expect(await changes.prune(new Map())).toEqual({ NetworksDeleted: ['real', 'cfg'] });
  });

  test.each([
    [from('nosuch'), 'configuration network "nosuch" does not exist'],
    [{ ...from('cfg'), Options: { a: 'b' } }, 'network driver options are not supported if the network depends on'],
    [{ ...from('cfg'), IPAM: pools }, 'user specified configurations are not supported if the network depends on'],
    [{ ...from('cfg'), ConfigOnly: true }, 'a configuration network cannot depend on another configuration network'],
  ])('%j is refused', async (request, words) => {
    const { changes } = fixture();
    await changes.create(wish('cfg', configuration));
    await expect(changes.create(wish('real', request as Partial<NetworkCreateRequest>))).rejects.toThrow(words);
  });
});
