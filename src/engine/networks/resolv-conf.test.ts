import { describe, expect, test } from 'bun:test';
import { type ResolvConfRequest, resolvConf, resolverConf } from './resolv-conf.ts';

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

describe('/etc/resolv.conf of a container whose names are answered', () => {
  const host = 'nameserver 127.0.0.53\nsearch lan\noptions edns0\n';
  const nothing = { host, dns: [], dnsOptions: [], dnsSearch: [] };

  test('names the resolver, which asks the host’s servers from the host', () => {
    const { text, upstreams, keepsShortNames } = resolverConf(nothing);
    expect(text).toContain('nameserver 127.0.0.11\nsearch lan\noptions edns0 ndots:0\n');
    expect(text).toContain('# ExtServers: [host(127.0.0.53)]\n# Overrides: []\n# Option ndots from: internal\n');
    expect(upstreams).toEqual([{ address: '127.0.0.53', fromContainer: false }]);
    expect(keepsShortNames).toBe(false);
  });

  test('asks the container’s own servers from the container', () => {
    const { text, upstreams } = resolverConf({ ...nothing, dns: ['1.2.3.4', '::5'], dnsSearch: ['foo.bar'] });
    expect(text).toContain('search foo.bar\n');
    expect(text).toContain('# ExtServers: [1.2.3.4 ::5]\n# Overrides: [nameservers search]\n');
    expect(upstreams.every(({ fromContainer }) => fromContainer)).toBe(true);
  });

  test('leaves short names to the search domains where ndots is set', () => {
    expect(resolverConf({ ...nothing, dnsOptions: ['ndots:3'] }).keepsShortNames).toBe(true);
    expect(resolverConf({ ...nothing, dnsOptions: ['ndots:0'] }).keepsShortNames).toBe(false);
  });

  test('says when there is nobody to ask', () => {
    expect(resolverConf({ ...nothing, host: '' }).text).toContain('# NO EXTERNAL NAMESERVERS DEFINED\n');
  });
});
