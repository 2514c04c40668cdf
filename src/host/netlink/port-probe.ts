/**
 * Whether a host port can be bound now, by binding it for a moment (3 µs). The container's shim binds it for good a few
 * milliseconds later; this look beforehand gives the refusal early and lets a range or a random port pass over taken ones.
 */
import { bind, close, errnoCode, lastErrno, listen, setSocketOption, socket } from './libc.ts';

const family = { v4: 2, v6: 10 } as const;
const kind = { tcp: 1, udp: 2 } as const;
const closeOnExec = 0o2000000;
const socketLevel = 1;
const reuseAddress = 2;
const ipv6Level = 41;
const onlyIpv6 = 26;

/** @returns 0 or the error number, EADDRINUSE for example */
export type PortProbe = (protocol: 'tcp' | 'udp', address: Uint8Array, port: number) => number;

/** @param address four or sixteen bytes */
export const probePort: PortProbe = (protocol, address, port) => {
  const plain = tryBind(protocol, address, port, false);
  // A port whose last connections are still remembered (TIME_WAIT) is free for a listener.
  return plain === errnoCode.EADDRINUSE && protocol === 'tcp' ? tryBind(protocol, address, port, true) : plain;
};

function tryBind(protocol: 'tcp' | 'udp', address: Uint8Array, port: number, listening: boolean): number {
  const isV6 = address.length === 16;
  const fd = socket(isV6 ? family.v6 : family.v4, kind[protocol] | closeOnExec, 0);
  if (fd < 0) return lastErrno();
  try {
    if (isV6 && setSocketOption(fd, ipv6Level, onlyIpv6, 1) < 0) return lastErrno();
    if (listening && setSocketOption(fd, socketLevel, reuseAddress, 1) < 0) return lastErrno();
    if (bind(fd, socketAddress(address, port)) < 0) return lastErrno();
    return listening && listen(fd, 1) < 0 ? lastErrno() : 0;
  } finally {
    close(fd);
  }
}

/** sockaddr_in or sockaddr_in6. */
export function socketAddress(address: Uint8Array, port: number): Buffer {
  const isV6 = address.length === 16;
  const bytes = Buffer.alloc(isV6 ? 28 : 16);
  bytes.writeUInt16LE(isV6 ? family.v6 : family.v4, 0);
  bytes.writeUInt16BE(port, 2);
  bytes.set(address, isV6 ? 8 : 4);
  return bytes;
}
