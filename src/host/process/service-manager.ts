/** What the service manager is told over $NOTIFY_SOCKET (sd_notify(3)), and what it knows of the machine. */
import { access } from 'node:fs/promises';
import { close, send, socket } from '../netlink/libc.ts';
import { runTool } from './run-tool.ts';

/** AF_UNIX, and SOCK_DGRAM with SOCK_CLOEXEC (linux/socket.h). */
const unixFamily = 1;
const datagram = 2 | 0o2000000;

/** Longest path of a unix socket, with its ending zero. */
const longestPath = 108;

/**
 * Sends a state such as `READY=1`, `STOPPING=1` or `RELOADING=1`; false where nobody asked to be told. A datagram to a socket of this
 * machine: never waits.
 */
export function tellServiceManager(state: string, path = process.env['NOTIFY_SOCKET'] ?? ''): boolean {
  if (!/^[/@]/.test(path) || Buffer.byteLength(path) >= longestPath) return false;
  const name = Buffer.from(path);
  // A name in the abstract namespace begins with a zero byte.
  if (name[0] === 0x40) name[0] = 0;
  const address = Buffer.alloc(2 + name.length);
  address.writeUInt16LE(unixFamily, 0);
  name.copy(address, 2);
  const fd = socket(unixFamily, datagram, 0);
  if (fd < 0) return false;
  try {
    return send(fd, Buffer.from(state), address) >= 0;
  } finally {
    close(fd);
  }
}

/** True while systemd shuts the machine down: a service that is stopped now will not be started again before the next boot. */
export async function machineGoesDown(): Promise<boolean> {
  try {
    await access('/run/systemd/system');
    // One that is not "running" is told by the exit status too, as is one that is "degraded".
    return (await runTool(['sh', '-c', 'systemctl is-system-running || :'])).trim() === 'stopping';
  } catch {
    // No systemd, or none that answers any more: the usual end.
    return false;
  }
}
