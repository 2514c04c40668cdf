import { describe, expect, test } from 'bun:test';
import { RecordingFirewall } from '../../host/firewall/recording-firewall.ts';
import { type Cidr, formatAddress, parseCidr } from '../../host/netlink/cidr.ts';
import { type IpNetwork, parseIpNetwork } from '../../host/netlink/ip-network.ts';
import { RecordingLinks } from '../../host/netlink/recording-links.ts';
import { BerthDatabase } from '../../store/db/database.ts';
import { type DefaultBridgeSettings, plainBridge } from './default-networks.ts';
import { endpointRequest } from './endpoint-wishes.ts';
import { plainHost } from './host-settings.ts';
import { RecordingNames } from './names/recording-names.ts';
import { Networks } from './networks.ts';
import { subnetPools } from './subnets.ts';

const testPools = subnetPools([], 'an engine');

import type { SandboxRequest } from './types.ts';

interface Fixture {
  networks: Networks;
  firewall: RecordingFirewall;
  links: RecordingLinks;
  database: BerthDatabase;
  /** A new engine on the same host and database. */
  restart(): Networks;
}

function fixture({
  bip = '',
  foreign = [] as string[],
  bridge = 'berth0',
  more = {} as Partial<DefaultBridgeSettings>,
} = {}): Fixture {
  const database = new BerthDatabase(':memory:');
  const firewall = new RecordingFirewall();
  const links = new RecordingLinks();
  links.foreignRoutes.push(...foreign.map((text) => parseIpNetwork(text) as IpNetwork));
  const restart = (): Networks =>
    new Networks({
      database,
      links,
      firewall,
      probe: () => 0,
      settings: { ...plainBridge, bridge, bip, mtu: 1500, pools: testPools, ...more },
      host: plainHost,
      report: () => {},
      hostGateways: [],
      hostHasIpv6: true,
      names: new RecordingNames(),
      etc: { edit: async () => false },

      readHostFile: async (path) => (path === '/etc/hosts' ? '127.0.0.1 host\n' : 'nameserver 10.0.0.1\n'),
    });
  return { networks: restart(), firewall, links, database, restart };
}

function ask(containerId: string, more: Partial<SandboxRequest> = {}): SandboxRequest {
  return {
    containerId,
    containerName: `name-${containerId}`,
    hostname: containerId,
    domainname: '',
    networkMode: 'bridge',
    endpoints: [],
    joinPid: null,
    macAddress: null,
    exposedPorts: [],
    portBindings: {},
    publishAllPorts: false,
    dns: [],
    dnsOptions: [],
    dnsSearch: [],
    extraHosts: [],
    links: [],
    ...more,
  };
}

const web = { portBindings: { '80/tcp': [{ HostIp: '', HostPort: '8080' }] } };

describe('the default bridge', () => {
  test('takes the first pool that no route of the host touches', () => {
    const { networks, links } = fixture({ foreign: ['172.17.0.0/16'] });
    expect(networks.inspect('bridge').IPAM.Config).toEqual([{ Subnet: '172.18.0.0/16', Gateway: '172.18.0.1' }]);
    expect(links.sysctls.get('net/ipv4/conf/berth0/route_localnet')).toBe('1');
  });

  test('takes the configured address, and refuses one that is no host’s', () => {
    const { networks } = fixture({ bip: '10.7.0.5/24' });
    expect(networks.inspect('bridge').IPAM.Config).toEqual([{ Subnet: '10.7.0.0/24', Gateway: '10.7.0.5' }]);
    expect(() => fixture({ bip: '10.7.0.0/24' })).toThrow('--bip');
    expect(() => fixture({ bip: 'x' })).toThrow('--bip');
  });

  test('keeps id and subnet over a restart, also when the interface is gone', () => {
    const { networks, links, restart } = fixture();
    const before = networks.inspect('bridge');
    links.deleteLink('berth0');
    expect(restart().inspect('bridge')).toEqual(before);
  });

  test('the three networks are there, in Docker’s shape', () => {
    const { networks } = fixture();
    expect(
      networks
        .list(new Map())
        .map(({ Name, Driver }) => `${Name} ${Driver}`)
        .sort(),
    ).toEqual(['bridge bridge', 'host host', 'none null']);
    expect(networks.list(new Map([['driver', ['null']]])).map(({ Name }) => Name)).toEqual(['none']);
    expect(networks.list(new Map([['type', ['custom']]]))).toEqual([]);
    expect(() => networks.inspect('nowhere')).toThrow('network nowhere not found');
  });

  test('without a default bridge such containers have no network', async () => {
    const { networks } = fixture({ bridge: 'none' });
    const sandbox = await networks.allocate(ask('a'));
    expect(sandbox.plan).toEqual({ kind: 'new', interfaces: [], ports: [] });
    expect(() => networks.inspect('bridge')).toThrow('not found');
  });
});

describe('a container on the bridge', () => {
  test('has an address, a MAC address made of it, and its files', async () => {
    const { networks } = fixture();
    const sandbox = await networks.allocate(ask('a', { extraHosts: ['gate:host-gateway'] }));
    expect(sandbox.plan).toMatchObject({
      kind: 'new',
      interfaces: [
        {
          containerName: 'eth0',
          bridge: 'berth0',
          macAddress: '02:42:ac:11:00:02',
          addresses: ['172.17.0.2/16'],
          gateways: ['172.17.0.1'],
          mtu: 1500,
          hairpin: false,
        },
      ],
    });
    expect(sandbox.networks['bridge']).toMatchObject({
      IPAddress: '172.17.0.2',
      IPPrefixLen: 16,
      Gateway: '172.17.0.1',
    });
    expect(sandbox.hosts).toContain('172.17.0.1\tgate\n172.17.0.2\ta\n');
    expect(sandbox.resolvConf).toContain('nameserver 10.0.0.1\n');
    expect(networks.inspect('bridge').Containers).toMatchObject({
      a: { Name: 'name-a', IPv4Address: '172.17.0.2/16' },
    });
  });

  test('publishes by the firewall at IPv4 and by the shim at IPv6', async () => {
    const { networks, firewall } = fixture();
    const sandbox = await networks.allocate(ask('a', { ...web, exposedPorts: ['80/tcp', '9/udp'] }));
    expect(sandbox.ports).toEqual({
      '80/tcp': [
        { HostIp: '0.0.0.0', HostPort: '8080' },
        { HostIp: '::', HostPort: '8080' },
      ],
      '9/udp': null,
    });
    const forwardTo = { address: '172.17.0.2', port: 80 };
    expect(sandbox.plan).toMatchObject({
      ports: [
        { protocol: 'tcp', hostAddress: '0.0.0.0', hostPort: 8080, forwardTo, userspace: false },
        { protocol: 'tcp', hostAddress: '::', hostPort: 8080, forwardTo, userspace: true },
      ],
    });
    expect(
      firewall.content?.ports.map((port) => ({ ...port, address: formatAddress(port.address as number) })),
    ).toEqual([
      { protocol: 'tcp', hostAddress: null, hostPort: 8080, isDirect: false, address: '172.17.0.2', port: 80 },
    ]);
  });

  test('gets hairpin where bridged packets pass iptables, and only for its ports', async () => {
    const { networks, links } = fixture();
    links.sysctls.set('net/bridge/bridge-nf-call-iptables', '1');
    expect((await networks.allocate(ask('a', web))).plan).toMatchObject({ interfaces: [{ hairpin: true }] });
    expect((await networks.allocate(ask('b'))).plan).toMatchObject({ interfaces: [{ hairpin: false }] });
  });

  test('gives everything back, as often as it is asked to', async () => {
    const { networks, firewall, database } = fixture();
    await networks.allocate(ask('a', web));
    await networks.release('a');
    await networks.release('a');
    expect(firewall.content?.ports).toEqual([]);
    expect(database.sql.query('SELECT * FROM endpoints').all()).toEqual([]);
    await networks.allocate(ask('b', web));
  });

  test('leaves nothing behind when it cannot be had', async () => {
    const { networks, database } = fixture();
    await networks.allocate(ask('a', web));
    await expect(networks.allocate(ask('b', web))).rejects.toThrow(
      /^failed to set up container networking: driver failed programming external connectivity on endpoint name-b \([0-9a-f]{64}\): Bind for 0.0.0.0:8080 failed: port is already allocated$/,
    );
    expect(database.sql.query('SELECT container FROM endpoints').all()).toEqual([{ container: 'a' }]);
    await expect(networks.allocate(ask('c', { networkMode: 'nosuch' }))).rejects.toThrow(
      'failed to set up container networking: network nosuch not found',
    );
  });
});

describe('wishes', () => {
  const wish = endpointRequest('bridge', null);

  test('a MAC address of its own', async () => {
    const { networks } = fixture();
    const endpoints = [{ ...wish, macAddress: '02:AA:00:00:00:01' }];
    const sandbox = await networks.allocate(ask('a', { endpoints }));
    expect(sandbox.networks['bridge']).toMatchObject({ MacAddress: '02:aa:00:00:00:01', IPAddress: '172.17.0.2' });
  });

  test('the default bridge has no static addresses and no aliases', async () => {
    const { networks } = fixture();
    const words = 'invalid config for network bridge: invalid endpoint settings:\n';
    await expect(networks.allocate(ask('a', { endpoints: [{ ...wish, address: '172.17.0.9' }] }))).rejects.toThrow(
      `${words}user specified IP address is supported on user defined networks only`,
    );
    await expect(networks.allocate(ask('a', { endpoints: [{ ...wish, address: '1.2.3.4' }] }))).rejects.toThrow(
      `${words}* user specified IP address is supported on user defined networks only\n* no configured subnet or ip-range contain the IP address 1.2.3.4`,
    );
    await expect(networks.allocate(ask('a', { endpoints: [{ ...wish, linkLocal: ['1.1.1.1'] }] }))).rejects.toThrow(
      `${words}invalid link local IP address: 1.1.1.1`,
    );
    await expect(networks.allocate(ask('a', { endpoints: [{ ...wish, aliases: ['x'] }] }))).rejects.toThrow(
      `${words}network-scoped aliases are only supported for user-defined networks`,
    );
  });
});

test('the host and its own namespace go with no other network', async () => {
  const { networks } = fixture();
  const on = (mode: string, ...names: string[]) =>
    networks.allocate(ask('a', { networkMode: mode, endpoints: names.map((name) => endpointRequest(name, null)) }));
  await expect(on('bridge', 'bridge', 'host')).rejects.toThrow(
    'cannot connect container to host network - container must be created in host network mode',
  );
  await expect(on('host', 'host', 'bridge')).rejects.toThrow(
    'container sharing network namespace with another container or host cannot be connected to any other network',
  );
});

describe('settings of the default bridge', () => {
  const bip = '10.20.0.1/24';

  test('say where addresses come from, where the default route leads, who talks and where ports are published', async () => {
    const more = { fixedCidr: '10.20.0.128/25', defaultGateway: '10.20.0.254', hostBinding: '127.0.0.1' };
    const { networks, firewall } = fixture({ bip, more: { ...more, betweenContainers: false, masquerade: false } });
    const sandbox = await networks.allocate(ask('a', web));
    expect(sandbox.networks['bridge']).toMatchObject({ IPAddress: '10.20.0.128', Gateway: '10.20.0.254' });
    expect(sandbox.plan).toMatchObject({ interfaces: [{ gateways: ['10.20.0.254'] }] });
    expect(sandbox.ports['80/tcp']).toEqual([{ HostIp: '127.0.0.1', HostPort: '8080' }]);
    expect(firewall.content?.networks).toMatchObject([{ betweenContainers: false, subnets: [{ masquerade: false }] }]);
    expect(networks.inspect('bridge')).toMatchObject({
      IPAM: {
        Config: [
          {
            IPRange: '10.20.0.128/25',
            Gateway: '10.20.0.1',
            AuxiliaryAddresses: { DefaultGatewayIPv4: '10.20.0.254' },
          },
        ],
      },
      Options: {
        'com.docker.network.bridge.enable_icc': 'false',
        'com.docker.network.bridge.enable_ip_masquerade': 'false',
        'com.docker.network.bridge.host_binding_ipv4': '127.0.0.1',
      },
    });
  });

  test('must fit the bridge', () => {
    const words =
      (more: Partial<DefaultBridgeSettings>): (() => Fixture) =>
      () =>
        fixture({ bip, more });
    expect(words({ fixedCidr: '10.21.0.0/25' })).toThrow('is not inside of the bridge');
    expect(words({ fixedCidr: 'x' })).toThrow('invalid --fixed-cidr');
    expect(words({ defaultGateway: '10.21.0.1' })).toThrow("must be part of the bridge network's subnet");
    expect(words({ defaultGateway: 'x' })).toThrow('invalid --default-gateway');
  });
});

describe('other modes', () => {
  test('none has a namespace without interfaces, host the host’s network and files', async () => {
    const { networks } = fixture();
    const none = await networks.allocate(ask('a', { networkMode: 'none', ...web }));
    expect(none).toMatchObject({ plan: { kind: 'new', interfaces: [], ports: [] }, ports: {} });
    expect(none.networks['none']).toMatchObject({ IPAddress: '', MacAddress: '' });
    const host = await networks.allocate(ask('b', { networkMode: 'host', ...web }));
    expect(host).toMatchObject({ plan: { kind: 'host' }, hosts: '127.0.0.1 host\n', ports: {} });
    const named = await networks.allocate(ask('c', { networkMode: 'host', extraHosts: ['x:1.2.3.4'] }));
    expect(named.hosts).toContain('1.2.3.4\tx\n');
  });

  test('container: joins the namespace of a running one', async () => {
    const { networks } = fixture();
    const joined = await networks.allocate(ask('a', { networkMode: 'container:b', joinPid: 42 }));
    expect(joined).toEqual({
      plan: { kind: 'join', path: '/proc/42/ns/net' },
      hosts: null,
      resolvConf: null,
      networks: {},
      ports: {},
    });
    await expect(networks.allocate(ask('a', { networkMode: 'container:b' }))).rejects.toThrow(
      'non running container: b',
    );
  });
});

describe('after a crash', () => {
  test('running containers keep what they have, the others’ things are free', async () => {
    const { networks, firewall, restart } = fixture();
    await networks.allocate(ask('a', web));
    await networks.allocate(ask('b', { portBindings: { '80/tcp': [{ HostPort: '8081' }] } }));
    firewall.content = null;
    const next = restart();
    expect(firewall.content).not.toBeNull();
    await next.reconcile(new Set(['a']));
    expect((firewall as RecordingFirewall).content?.ports.map(({ hostPort }) => hostPort)).toEqual([8080]);
    await expect(next.allocate(ask('c', web))).rejects.toThrow('already allocated');
    const other = await next.allocate(ask('d', { portBindings: { '80/tcp': [{ HostPort: '8081' }] } }));
    expect(other.networks['bridge']?.IPAddress).not.toBe('172.17.0.2');
  });

  test('a flushed packet filter is mended, also in the middle of a start', async () => {
    const { networks, firewall } = fixture();
    firewall.content = null;
    expect(networks.mend()).toEqual(['inet berth']);
    firewall.content = null;
    await networks.allocate(ask('a', web));
    expect((firewall as RecordingFirewall).content?.ports).toHaveLength(1);
    expect(networks.mend()).toEqual([]);
  });
});

describe('the host', () => {
  test('a host that was no router keeps its cards separated until the next boot', () => {
    const { links, firewall, database } = fixture();
    links.links.push({ index: 9, name: 'eth0', kind: '', master: 0, up: true, mtu: 1500, alias: '' });
    links.sysctls.set('kernel/random/boot_id', 'one');
    const open = (): string[] => {
      const settings = { ...plainBridge, bridge: 'berth0', bip: '', mtu: 1500, pools: testPools };
      new Networks({
        database,
        links,
        firewall,
        probe: () => 0,
        settings,
        host: plainHost,
        report: () => {},
        hostGateways: [],
        hostHasIpv6: true,
        readHostFile: async () => '',
        names: new RecordingNames(),
        etc: { edit: async () => false },
      });
      return [...(firewall.content?.separated[4] ?? [])];
    };
    expect(open()).toEqual([]);
    links.sysctls.set('net/ipv4/ip_forward', '0');
    expect(open()).toEqual(['eth0']);
    expect(links.sysctls.get('net/ipv4/ip_forward')).toBe('1');
    expect(open()).toEqual(['eth0']);
    links.sysctls.set('kernel/random/boot_id', 'two');
    expect(open()).toEqual([]);
  });

  test('is left as it was when no container is on the bridge any more', async () => {
    const { networks, firewall, links } = fixture();
    await networks.allocate(ask('a'));
    networks.leaveHost();
    expect(firewall.content).not.toBeNull();
    await networks.release('a');
    networks.leaveHost();
    expect(firewall.content).toBeNull();
    expect(links.links.map(({ name }) => name)).toEqual(['lo']);
  });

  test('a bridge of someone else is never deleted', () => {
    const { links, database, firewall } = fixture({ bridge: 'none' });
    links.ensureBridge({
      name: 'br0',
      address: parseCidr('10.3.0.1/24') as Cidr,
      address6: null,
      macAddress: '',
      mtu: 1500,
      alias: '',
    });
    const settings = { ...plainBridge, bridge: 'br0', bip: '', mtu: 1500, pools: testPools };
    const networks = new Networks({
      database,
      links,
      firewall,
      probe: () => 0,
      settings,
      host: plainHost,
      report: () => {},
      hostGateways: [],
      hostHasIpv6: false,
      readHostFile: async () => '',
      names: new RecordingNames(),
      etc: { edit: async () => false },
    });
    expect(networks.inspect('bridge').IPAM.Config).toEqual([{ Subnet: '10.3.0.0/24', Gateway: '10.3.0.1' }]);
    networks.leaveHost();
    expect(links.links.map(({ name }) => name)).toContain('br0');
  });
});
