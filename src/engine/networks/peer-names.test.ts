import { expect, test } from 'bun:test';
import { RecordingFirewall } from '../../host/firewall/recording-firewall.ts';
import { type Cidr, parseCidr } from '../../host/netlink/cidr.ts';
import { RecordingLinks } from '../../host/netlink/recording-links.ts';
import { BerthDatabase } from '../../store/db/database.ts';
import { emptyNetwork } from './default-networks.ts';
import { Networks } from './networks.ts';
import { defaultSubnetPools } from './subnets.ts';
import type { SandboxRequest } from './types.ts';

/** An engine with a network `one`; `files` are the hosts files of its containers. */
function fixture() {
  const files = new Map<string, string>();
  const networks = new Networks({
    database: new BerthDatabase(':memory:'),
    links: new RecordingLinks(),
    firewall: new RecordingFirewall(),
    probe: () => 0,
    settings: { bridge: 'berth0', bip: '', mtu: 1500, pools: defaultSubnetPools },
    hostHasIpv6: true,
    readHostFile: async () => '',
    hosts: {
      async edit(container, change) {
        const text = files.get(container);
        if (text === undefined) return false;
        files.set(container, change(text));
        return true;
      },
    },
    report: () => {},
  });
  networks.state.addNetwork({
    ...emptyNetwork('one', 'bridge'),
    bridge: {
      name: 'br-one',
      gateway: parseCidr('10.5.0.1/24') as Cidr,
      range: null,
      reserved: {},
      owned: true,
      mtu: 1500,
      masquerade: true,
      betweenContainers: true,
    },
  });
  const start = async (name: string, networkMode = 'one', aliases: string[] = []): Promise<string> => {
    const request: SandboxRequest = {
      containerId: name.repeat(12),
      containerName: name,
      hostname: `host-${name}`,
      domainname: '',
      networkMode,
      endpoints: [{ network: networkMode, address: null, macAddress: null, aliases }],
      joinPid: null,
      macAddress: null,
      exposedPorts: [],
      portBindings: {},
      publishAllPorts: false,
      dns: [],
      dnsOptions: [],
      dnsSearch: [],
      extraHosts: [],
    };
    const { hosts } = await networks.allocate(request);
    return hosts ?? '';
  };
  return { networks, files, start };
}

test('a container knows those who are there, and they soon know it', async () => {
  const { networks, files, start } = fixture();
  files.set('a'.repeat(12), await start('a', 'one', ['first']));
  const second = await start('b');
  expect(second).toContain(`10.5.0.2\ta first ${'a'.repeat(12)} host-a\n`);
  files.set('b'.repeat(12), second);
  await networks.names.settled();
  expect(files.get('a'.repeat(12))).toContain(`10.5.0.3\tb ${'b'.repeat(12)} host-b\n`);
  files.set('a'.repeat(12), `${files.get('a'.repeat(12))}1.2.3.4\tmine\n`);
  await networks.release('b'.repeat(12));
  await networks.names.settled();
  const left = files.get('a'.repeat(12));
  expect(left).not.toContain('10.5.0.3');
  expect(left).toContain('1.2.3.4\tmine\n');
});

test('a file that is still to come is waited for, one of a dead container is not', async () => {
  const { networks, files, start } = fixture();
  const first = await start('a');
  await start('b');
  files.set('a'.repeat(12), first);
  await networks.release('b'.repeat(12));
  await networks.names.settled();
  expect(files.get('a'.repeat(12))).toBe(first);
});

test('the default bridge has no names, as Docker’s', async () => {
  const { start } = fixture();
  await start('a', 'bridge');
  expect(await start('b', 'bridge')).not.toContain('host-a');
});
