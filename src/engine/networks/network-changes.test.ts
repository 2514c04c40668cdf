import { describe, expect, test } from 'bun:test';
import type { EndpointSettings, NetworkCreateRequest } from '../../api/types/network.ts';
import { RecordingFirewall } from '../../host/firewall/recording-firewall.ts';
import type { InterfaceAttacher } from '../../host/netlink/attacher.ts';
import { parseCidr } from '../../host/netlink/cidr.ts';
import { RecordingLinks } from '../../host/netlink/recording-links.ts';
import { BerthDatabase } from '../../store/db/database.ts';
import { plainBridge } from './default-networks.ts';
import type { EtcEditor } from './etc-editor.ts';
import { plainHost } from './host-settings.ts';
import type { Member, MemberChange } from './members.ts';
import { RecordingNames } from './names/recording-names.ts';
import { NetworkChanges } from './network-changes.ts';
import { Networks } from './networks.ts';
import { defaultSubnetPools } from './subnets.ts';

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
    settings: { ...plainBridge, bridge: 'berth0', bip: '', mtu: 1500, pools: defaultSubnetPools },
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
    async attach(target, { containerName, bridge, gateway }) {
      if (refuse) throw new Error('the kernel refuses');
      calls.push(`attach ${target} ${containerName} ${bridge.slice(0, 3)} ${gateway ?? 'none'}`);
    },
    async lead(target, containerName, gateway) {
      calls.push(`lead ${target} ${containerName} ${gateway}`);
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

  test('picks a subnet that neither a route nor a network has', async () => {
    const { changes, networks, links } = fixture();
    links.foreignRoutes.push(parseCidr('172.18.0.0/16') as never);
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
    ['IPv6 networks are not supported by this engine yet', wish('x', { EnableIPv6: true })],
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
