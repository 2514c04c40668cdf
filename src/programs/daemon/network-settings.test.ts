import { expect, test } from 'bun:test';
import { defaultConfig } from './config.ts';
import { networkSettings } from './network-settings.ts';
import { readDaemonArguments } from './read-config.ts';

test('nothing said: every container talks, leaves and is published everywhere', () => {
  const { bridge, host, hostGateways } = networkSettings(defaultConfig('/c'), 'id');
  expect(bridge).toMatchObject({ betweenContainers: true, masquerade: true, hostBinding: '', networkOptions: {} });
  expect(host).toEqual({
    forwarding: true,
    separateCards: true,
    directRouting: false,
    filter: true,
    filter6: true,
    userlandProxy: true,
  });
  expect(hostGateways).toEqual([]);
});

test('flags of networks arrive', () => {
  const { config } = readDaemonArguments([
    ...['--config-file', '/dev/null', '--icc=false', '--ip-masq=false', '--ip', '127.0.0.1', '--iptables=false'],
    ...['--default-network-opt', 'bridge=com.docker.network.driver.mtu=1400', '--userland-proxy=false'],
    ...['--default-network-opt', 'bridge=a=b', '--host-gateway-ip', '10.0.0.1', '--host-gateway-ip', 'fd00::1'],
    ...['--allow-direct-routing', '--ip-forward=false', '--fixed-cidr', '10.1.2.0/25', '--default-gateway', '10.1.2.9'],
  ]);
  const { bridge, host, hostGateways } = networkSettings(config, 'id');
  expect(bridge).toMatchObject({
    betweenContainers: false,
    masquerade: false,
    hostBinding: '127.0.0.1',
    fixedCidr: '10.1.2.0/25',
    defaultGateway: '10.1.2.9',
    networkOptions: { bridge: { 'com.docker.network.driver.mtu': '1400', a: 'b' } },
  });
  expect(host).toMatchObject({ forwarding: false, directRouting: true, filter: false, userlandProxy: false });
  expect(hostGateways).toEqual(['10.0.0.1', 'fd00::1']);
});

test('what is no address is refused', () => {
  const config = defaultConfig('/c');
  expect(() => networkSettings({ ...config, ip: 'x' }, 'id')).toThrow('invalid argument "x" for "--ip" flag');
  expect(() => networkSettings({ ...config, 'host-gateway-ips': ['1.2.3'] }, 'id')).toThrow('"--host-gateway-ip" flag');
});
