import { expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tellServiceManager } from './service-manager.ts';

/** A service manager's end: Perl, because neither Bun nor Node has datagram sockets of the unix family. */
const receiver = `use Socket; socket(S, AF_UNIX, SOCK_DGRAM, 0) or die; (my $n = $ARGV[0]) =~ s/^@/\\0/; bind(S, sockaddr_un($n)) or die;
  $| = 1; print "up\\n"; recv(S, $_, 4096, 0); print`;

for (const kind of ['a path', 'an abstract name'])
  test(`a datagram to ${kind}`, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'berth-notify-'));
    const path = kind === 'a path' ? join(folder, 's') : `@berth-notify-${process.pid}`;
    const child = Bun.spawn(['perl', '-e', receiver, path], { stdout: 'pipe', stderr: 'inherit' });
    const reader = child.stdout.getReader();
    await reader.read();
    expect(tellServiceManager('READY=1', path)).toBe(true);
    expect(new TextDecoder().decode((await reader.read()).value)).toBe('READY=1');
    await child.exited;
    rmSync(folder, { recursive: true });
  });

test('nobody asked', () => {
  expect(tellServiceManager('READY=1', '')).toBe(false);
  expect(tellServiceManager('READY=1', 'relative')).toBe(false);
  expect(tellServiceManager('READY=1', `/${'x'.repeat(200)}`)).toBe(false);
  expect(tellServiceManager('READY=1', '/nowhere/at/all')).toBe(false);
});
