import { describe, expect, test } from 'bun:test';
import { ipv6Bytes } from '../../host/netlink/ip-network.ts';
import { type PortRequest, portRequests } from './port-requests.ts';

function wanted(portBindings: Record<string, { HostIp?: string; HostPort?: string }[] | null>): PortRequest[] {
  return portRequests({ exposedPorts: [], portBindings, publishAllPorts: false });
}

describe('port bindings', () => {
  test('fixed ports come first, random ones last', () => {
    const order = wanted({
      '1/tcp': [{}],
      '2/tcp': [{ HostPort: '8000-8010' }],
      '3/udp': [{ HostPort: '53', HostIp: '127.0.0.1' }],
      '4/tcp': [{ HostPort: '80' }],
    });
    expect(order.map(({ containerPort }) => containerPort)).toEqual([3, 4, 2, 1]);
    expect(order[0]).toEqual({
      containerPort: 3,
      protocol: 'udp',
      hostAddress: '127.0.0.1',
      hostPorts: { first: 53, last: 53 },
    });
    expect(order.at(-1)?.hostPorts).toBeNull();
  });

  test('a port without protocol is tcp, one without bindings is not published', () => {
    expect(wanted({ '80': [{ HostPort: '8080' }] })[0]?.protocol).toBe('tcp');
    expect(wanted({ '80/tcp': null, '81/tcp': [] })).toEqual([]);
  });

  test.each(['abc', '70000', '-1', '90-80', '1-70000'])('%s is no port', (HostPort) => {
    expect(() => wanted({ '80/tcp': [{ HostPort }] })).toThrow(`invalid port specification: "${HostPort}"`);
  });

  test('what is no address and what is no protocol of ours is refused', () => {
    expect(() => wanted({ '80/tcp': [{ HostIp: '1.2.3' }] })).toThrow('invalid IP address: 1.2.3');
    expect(() => wanted({ '80/sctp': [{}] })).toThrow('protocol sctp is not supported');
  });
});

test('publishing all takes the exposed ports that have no binding', () => {
  const all = portRequests({
    exposedPorts: ['80/tcp', '90-91/udp', '443/tcp'],
    portBindings: { '443/tcp': [{ HostPort: '4443' }] },
    publishAllPorts: true,
  });
  expect(all.map(({ containerPort, hostPorts }) => [containerPort, hostPorts?.first ?? null])).toEqual([
    [443, 4443],
    [80, null],
    [90, null],
    [91, null],
  ]);
});

test('IPv6 addresses become sixteen bytes', () => {
  const hex = (text: string): string | null => {
    const bytes = ipv6Bytes(text);
    return bytes && Buffer.from(bytes).toString('hex');
  };
  expect(hex('::')).toBe('0'.repeat(32));
  expect(hex('::1')).toBe(`${'0'.repeat(31)}1`);
  expect(hex('fd00::a:1')).toBe('fd0000000000000000000000000a0001');
  expect(hex('1:2:3:4:5:6:7:8')).toBe('00010002000300040005000600070008');
  expect(hex('::ffff:1.2.3.4')).toBe('00000000000000000000ffff01020304');
  for (const wrong of [
    '',
    ':',
    '1',
    '1.2.3.4',
    '::1::',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7::8',
    '::g',
    '::12345',
  ])
    expect(ipv6Bytes(wrong)).toBeNull();
});
