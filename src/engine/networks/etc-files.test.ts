import { describe, expect, test } from 'bun:test';
import { hostsFile, ownNames, type ResolvConfRequest, resolvConf } from './etc-files.ts';

describe('/etc/hosts', () => {
  test('has loopback, extra hosts, then the container', () => {
    const text = hostsFile({
      extraHosts: ['h:host-gateway', 'b:1.2.3.4', 'c:::7', 'd=[::8]'],
      hostGateway: '172.17.0.1',
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
        '1.2.3.4\tb',
        '::7\tc',
        '::8\td',
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

describe('/etc/resolv.conf', () => {
  const nothing: ResolvConfRequest = {
    host: 'nameserver 10.0.0.1\nnameserver fd00::1\nsearch a.b c.d\noptions ndots:2 trust-ad\n',
    hostBehindStub: '',
    dns: [],
    dnsOptions: [],
    dnsSearch: [],
    keepLoopback: false,
    ipv6: false,
  };
  const settings = (request: Partial<ResolvConfRequest>): string[] =>
    resolvConf({ ...nothing, ...request })
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));

  test('is the host’s, without what the container cannot reach', () => {
    expect(settings({})).toEqual(['nameserver 10.0.0.1', 'search a.b c.d', 'options ndots:2 trust-ad']);
    expect(settings({ ipv6: true })).toContain('nameserver fd00::1');
    expect(settings({ host: 'nameserver 127.0.0.1\nnameserver ::1\nnameserver 9.9.9.9' })).toEqual([
      'nameserver 9.9.9.9',
    ]);
  });

  test('is replaced piece by piece, and says so', () => {
    const text = resolvConf({ ...nothing, dns: ['1.1.1.1', '127.0.0.1'], dnsSearch: ['.'], dnsOptions: ['ndots:3'] });
    expect(text).toContain('nameserver 1.1.1.1\nnameserver 127.0.0.1\noptions ndots:3\n');
    expect(text).not.toContain('search a');
    expect(text).toContain('# Overrides: [nameservers search options]');
  });

  test('goes behind the stub of systemd-resolved, but not on the host’s own network', () => {
    const stub = { host: 'nameserver 127.0.0.53\n', hostBehindStub: 'nameserver 10.5.5.5\nsearch lan\n' };
    expect(settings(stub)).toEqual(['nameserver 10.5.5.5', 'search lan']);
    expect(settings({ ...stub, keepLoopback: true })).toEqual(['nameserver 127.0.0.53']);
  });

  test('names public resolvers where the host has none that can be reached', () => {
    expect(settings({ host: 'nameserver 127.0.0.1\n' })).toEqual(['nameserver 8.8.8.8', 'nameserver 8.8.4.4']);
    expect(settings({ host: '' })).toEqual(['nameserver 8.8.8.8', 'nameserver 8.8.4.4']);
  });
});
