import { bind, close, lastErrno, SystemError, setSocketOption, socket } from './libc.ts';
import { socketAddress } from './port-probe.ts';

const ipv4 = 2;
const datagramNonBlockingCloseOnExec = 2 | 0o4000 | 0o2000000;
const socketLevel = 1;
const receiveBufferForce = 33;
/** Bytes that wait while the process is kept from working: a few thousand short datagrams. Beyond the kernel's usual limit. */
const patience = 4 * 1024 * 1024;

/** A UDP socket in the network namespace that the thread is in, at a random port of an IPv4 address. Gives its descriptor. */
export function openDatagramSocket(address: Uint8Array): number {
  const fd = socket(ipv4, datagramNonBlockingCloseOnExec, 0);
  if (fd < 0) throw new SystemError('open a socket', lastErrno());
  // Where it may not be larger it is as large as others.
  setSocketOption(fd, socketLevel, receiveBufferForce, patience);
  if (bind(fd, socketAddress(address, 0)) === 0) return fd;
  const error = new SystemError('bind a socket', lastErrno());
  close(fd);
  throw error;
}
