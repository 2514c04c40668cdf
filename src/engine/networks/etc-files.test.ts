import { describe, expect, test } from 'bun:test';
import { hostsFile, ownNames } from './etc-files.ts';

describe('/etc/hosts', () => {
  test('has loopback, extra hosts, then the container', () => {
    const text = hostsFile({
      extraHosts: ['h:host-gateway', 'b:1.2.3.4', 'c:::7', 'd=[::8]'],
      hostGateways: ['172.17.0.1', 'fd00::1'],
      links: [{ address: '172.17.0.2', names: 'db lkdb' }],
      own: [['172.17.0.3', ownNames('foo', 'bar.baz')]],
    });
    expect(text).toBe(
      [
        '127.0.0.1\tlocalhost',
        '::1\tlocalhost ip6-localhost ip6-loopback',
        'fe00::\tip6-localnet',
        'ff00::\tip6-mcastprefix',
        'ff02::1\tip6-allnodes',
        'ff02::2\tip6-allrouters',
        '172.17.0.1\th',
        'fd00::1\th',
        '1.2.3.4\tb',
        '::7\tc',
        '::8\td',
        '172.17.0.2\tdb lkdb',
        '172.17.0.3\tfoo.bar.baz foo',
        '',
      ].join('\n'),
    );
  });

  test('names the container by its full and its short name', () => {
    expect(ownNames('foo', '')).toBe('foo');
    expect(ownNames('foo.bar', '')).toBe('foo.bar foo');
    expect(ownNames('foo', 'bar')).toBe('foo.bar foo');
  });
});
