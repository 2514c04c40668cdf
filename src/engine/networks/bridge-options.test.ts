import { describe, expect, test } from 'bun:test';
import { bridgeOption, readBridgeOptions, readFamilies } from './bridge-options.ts';

const outside = { mtu: 1500, internal: false };

describe('options of IPv6', () => {
  test('are its own but for masquerading', () => {
    const given = { [bridgeOption.gatewayMode6]: 'routed', [bridgeOption.source6]: '2001:DB8:0::1' };
    expect(readBridgeOptions(given, outside)).toMatchObject({
      ...{ gatewayMode: 'nat', masquerade: true, source: null },
      ...{ gatewayMode6: 'routed', masquerade6: false, source6: '2001:db8::1' },
    });
    expect(readBridgeOptions({ [bridgeOption.masquerade]: 'false' }, outside).masquerade6).toBe(false);
    expect(() => readBridgeOptions({ [bridgeOption.gatewayMode6]: 'isolated' }, outside)).toThrow(
      "gateway mode 'isolated' can only be used for an internal network",
    );
    expect(() => readBridgeOptions({ [bridgeOption.source6]: '10.0.0.1' }, outside)).toThrow(
      'failed to parse com.docker.network.host_ipv6 value: 10.0.0.1 (nil ip)',
    );
  });

  test('say which families there are', () => {
    expect(readFamilies({})).toEqual({ ipv4: true, ipv6: false });
    expect(readFamilies({ [bridgeOption.enable4]: '0', [bridgeOption.enable6]: 'true' })).toEqual({
      ipv4: false,
      ipv6: true,
    });
    expect(() => readFamilies({ [bridgeOption.enable6]: 'maybe' })).toThrow(
      'driver-opt "com.docker.network.enable_ipv6" is not a valid bool',
    );
  });
});

describe('options of the bridge driver', () => {
  test('have Docker’s defaults', () => {
    expect(readBridgeOptions({ 'some.other': 'thing' }, outside)).toEqual({
      mtu: 1500,
      masquerade: true,
      betweenContainers: true,
      hostBinding: '',
      gatewayMode: 'nat',
      hasAddress: true,
      interfacePrefix: 'eth',
      source: null,
      gatewayMode6: 'nat',
      masquerade6: true,
      source6: null,
    });
  });

  test('are read as Go reads them', () => {
    const given = {
      [bridgeOption.mtu]: '+1400',
      [bridgeOption.masquerade]: 'F',
      [bridgeOption.betweenContainers]: '0',
      [bridgeOption.hostBinding]: '127.0.0.1',
      [bridgeOption.inhibitAddress]: 'TRUE',
      [bridgeOption.interfacePrefix]: 'lan',
      [bridgeOption.source]: '10.0.0.1',
    };
    expect(readBridgeOptions(given, outside)).toMatchObject({
      mtu: 1400,
      masquerade: false,
      betweenContainers: false,
      hostBinding: '127.0.0.1',
      hasAddress: false,
      interfacePrefix: 'lan',
      source: 0x0a000001,
    });
    expect(readBridgeOptions({ [bridgeOption.hostBinding]: '0.0.0.0' }, outside).hostBinding).toBe('');
    expect(readBridgeOptions({ [bridgeOption.hostBinding]: '::1' }, outside).hostBinding).toBe('::1');
  });

  test('a routed network translates nothing, an isolated one has no address and no way out', () => {
    const mode = (value: string): Record<string, string> => ({ [bridgeOption.gatewayMode]: value });
    expect(readBridgeOptions(mode('routed'), outside).masquerade).toBe(false);
    expect(readBridgeOptions(mode('isolated'), { mtu: 1500, internal: true }).hasAddress).toBe(false);
    expect(() => readBridgeOptions(mode('isolated'), outside)).toThrow('can only be used for an internal network');
  });

  test.each([
    [bridgeOption.mtu, '12a', 'strconv.Atoi: parsing "12a": invalid syntax'],
    [bridgeOption.mtu, '10', 'invalid MTU number: 10'],
    [bridgeOption.masquerade, 'yes', 'strconv.ParseBool: parsing "yes": invalid syntax'],
    [bridgeOption.hostBinding, '1.2.3', 'value: 1.2.3 (nil ip)'],
    [bridgeOption.source, '::1', 'value: ::1 (nil ip)'],
    [bridgeOption.gatewayMode, 'x', 'unknown gateway mode x'],
    [bridgeOption.interfacePrefix, 'a/b', 'value: a/b'],
    [bridgeOption.trusted, 'eth0', 'not supported by this engine yet'],
  ])('%s=%s is refused', (name, value, words) => {
    expect(() => readBridgeOptions({ [name]: value }, outside)).toThrow(words);
  });
});
