import { describe, expect, test } from 'bun:test';
import { PortBook } from './port-book.ts';
import type { PortRequest } from './port-requests.ts';

const EADDRINUSE = 98;

/** @param foreign ports that another program has: `tcp 8080` */
function book(foreign: string[] = [], ipv6 = true): PortBook {
  return new PortBook({
    probe: (protocol, _address, port) => (foreign.includes(`${protocol} ${port}`) ? EADDRINUSE : 0),
    ipv6,
    range: [32_768, 32_771],
  });
}

const target = { families: [4, 6], target: 'x' } as const;

function want(port: number | [number, number] | null, options: Partial<PortRequest> = {}): PortRequest {
  const [first, last] = Array.isArray(port) ? port : [port, port];
  return {
    containerPort: 80,
    protocol: 'tcp',
    hostAddress: '',
    hostPorts: first === null || last === null ? null : { first, last },
    ...options,
  };
}

async function ports(of: PortBook, ...requests: PortRequest[]): Promise<string[]> {
  const found = await of.allocate(requests, { families: [4, 6], target: '172.17.0.2' });
  return found.map(({ hostAddress, hostPort }) => `${hostAddress} ${hostPort}`);
}

describe('a fixed port', () => {
  test('is published at IPv4 and IPv6, or where it is wanted', async () => {
    expect(await ports(book(), want(8080))).toEqual(['0.0.0.0 8080', ':: 8080']);
    expect(await ports(book([], false), want(8080))).toEqual(['0.0.0.0 8080']);
    expect(await ports(book(), want(8080, { hostAddress: '127.0.0.1' }))).toEqual(['127.0.0.1 8080']);
    expect(await ports(book(), want(8080, { hostAddress: '::1' }))).toEqual(['::1 8080']);
  });

  test.each([
    ['', '', '0.0.0.0'],
    ['127.0.0.1', '', '127.0.0.1'],
    ['', '127.0.0.1', '0.0.0.0'],
    ['127.0.0.1', '127.0.0.1', '127.0.0.1'],
    ['::1', '::', '[::1]'],
  ])('of %p excludes that of %p', async (first, second, named) => {
    const taken = book();
    await taken.allocate([want(8080, { hostAddress: first })], target);
    await expect(taken.allocate([want(8080, { hostAddress: second })], target)).rejects.toThrow(
      `Bind for ${named}:8080 failed: port is already allocated`,
    );
  });

  test('is published in the families that the container has', async () => {
    const of = async (families: (4 | 6)[], hostAddress = ''): Promise<string[]> =>
      (await book().allocate([want(8080, { hostAddress })], { families, target: 'x' })).map((one) => one.hostAddress);
    expect(await of([6])).toEqual(['::']);
    expect(await of([4])).toEqual(['0.0.0.0']);
    expect(await of([6], '127.0.0.1')).toEqual([]);
    expect(await of([])).toEqual([]);
  });

  test('is another one at another address, family or protocol', async () => {
    const taken = book();
    await taken.allocate([want(8080, { hostAddress: '127.0.0.1' })], target);
    await taken.allocate([want(8080, { hostAddress: '127.0.0.2' })], target);
    await taken.allocate([want(8080, { hostAddress: '::' })], target);
    await taken.allocate([want(8080, { protocol: 'udp' })], target);
  });

  test('of another program gives dockerd’s words', async () => {
    await expect(book(['tcp 8080']).allocate([want(8080)], { ...target, target: '172.17.0.4' })).rejects.toThrow(
      'failed to bind host port for 0.0.0.0:8080:172.17.0.4:80/tcp: address already in use',
    );
  });

  test('is free again after a failure of a later one', async () => {
    const taken = book();
    await expect(taken.allocate([want(8080), want(8080)], target)).rejects.toThrow('already allocated');
    await taken.allocate([want(8080)], target);
  });
});

test('a range gives the first port that neither a container nor another program has', async () => {
  const taken = book(['tcp 8001']);
  expect(await ports(taken, want([8000, 8002], { hostAddress: '127.0.0.1' }))).toEqual(['127.0.0.1 8000']);
  expect(await ports(taken, want([8000, 8002]))).toEqual(['0.0.0.0 8002', ':: 8002']);
  await expect(taken.allocate([want([8000, 8002])], target)).rejects.toThrow('address already in use');
  await expect(book().allocate([want([8000, 8001]), want([8000, 8001]), want([8000, 8001])], target)).rejects.toThrow(
    'all ports are allocated',
  );
});

test('random ports go round, and freed ones come back', async () => {
  const taken = book(['tcp 32769'], false);
  expect(await ports(taken, want(null), want(null), want(null))).toEqual([
    '0.0.0.0 32768',
    '0.0.0.0 32770',
    '0.0.0.0 32771',
  ]);
  taken.free([{ protocol: 'tcp', hostAddress: '0.0.0.0', hostPort: 32_770, containerPort: 80 }]);
  expect(await ports(taken, want(null))).toEqual(['0.0.0.0 32770']);
});
