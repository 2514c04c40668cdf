import { describe, expect, test } from 'bun:test';
import { checkDriverOptions, deviceMount, mountFailure, withAddresses } from './mount-options.ts';

describe('refusals', () => {
  const cases: [Record<string, string>, string][] = [
    [{ foo: 'x' }, 'create v: invalid option: "foo"'],
    [{ Type: 'tmpfs' }, 'create v: invalid option: "Type"'],
    [{ type: 'tmpfs' }, 'create v: missing required option: "device"'],
    [{ device: '/x' }, 'create v: missing required option: "type"'],
    [{ o: 'bind' }, 'create v: missing required option: "device"'],
    [{ type: 'none', o: 'bind' }, 'create v: missing required option: "device"'],
    [{ size: 'abc' }, "create v: invalid size: 'abc'"],
    [{ size: '1m' }, 'create v: quota size requested but no quota support'],
    [{ type: 'cifs', device: '//host:445/x' }, "create v: port not allowed in CIFS device URL, include 'port' in 'o='"],
  ];
  for (const [options, message] of cases)
    test(JSON.stringify(options), () => expect(() => checkDriverOptions('v', options)).toThrow(message));
  test('the rest passes', () => {
    checkDriverOptions('v', { type: 'nfs', device: ':/x' });
    checkDriverOptions('v', { type: 'tmpfs', device: 'tmpfs', o: 'size=1m' });
    checkDriverOptions('v', {});
  });
});

test('words become flags, the rest is data', () => {
  expect(deviceMount(null)).toBeNull();
  expect(deviceMount({})).toBeNull();
  expect(deviceMount({ type: 'none', device: '/x', o: 'bind,ro' })).toEqual({
    ...{ type: 'none', device: '/x', flags: 0x1001, data: '' },
  });
  expect(deviceMount({ type: 'tmpfs', device: 'tmpfs', o: 'size=1m,ro,rw,mode=700' })).toEqual({
    ...{ type: 'tmpfs', device: 'tmpfs', flags: 0, data: 'size=1m,mode=700' },
  });
});

test('hosts are looked up', async () => {
  const lookup = (host: string) => (host === 'nas' ? Promise.resolve('10.0.0.9') : Promise.reject(new Error('no')));
  const nfs = { type: 'nfs4', device: ':/x', flags: 0, data: 'addr=nas,rw' };
  expect((await withAddresses(nfs, lookup)).data).toBe('addr=10.0.0.9,rw');
  expect((await withAddresses({ ...nfs, data: 'addr=1.2.3.4' }, lookup)).data).toBe('addr=1.2.3.4');
  expect((await withAddresses({ ...nfs, type: 'cifs', device: '//nas/x', data: '' }, lookup)).data).toBe(
    'addr=10.0.0.9',
  );
  expect((await withAddresses({ ...nfs, type: 'tmpfs' }, lookup)).data).toBe('addr=nas,rw');
  await expect(withAddresses({ ...nfs, data: 'addr=nowhere' }, lookup)).rejects.toThrow(
    'error resolving passed in network volume address: lookup nowhere: no such host',
  );
});

test('a failure is told without the password', () => {
  const mount = { type: 'cifs', device: '//nas/x', flags: 1, data: 'username=u,password=secret' };
  expect(mountFailure(mount, '/v', 'permission denied').message).toBe(
    "error while mounting volume '/v': failed to mount local volume: mount //nas/x:/v, flags: 0x1, data: username=u,password=********: permission denied",
  );
});
