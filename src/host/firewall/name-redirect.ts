/** The table in a container's network namespace that sends what it asks of 127.0.0.11, port 53, to the resolver's sockets there. */
import { NetlinkSocket, netlinkFamily } from '../netlink/netlink-socket.ts';
import {
  Batch,
  compare,
  decide,
  destinationNat,
  type Expression,
  hook,
  isIpv4,
  load,
  meta,
  metaKey,
  payload,
  priority,
  protocolNumber,
  verdict,
} from './nf-tables.ts';

/** The address that resolv.conf names, Docker's own choice. */
export const resolverAddress = '127.0.0.11';
const table = 'berth-names';
export const resolverBytes = Buffer.of(127, 0, 0, 11);
const destinationOffset = 16;
const portOffset = 2;

export interface RedirectedPorts {
  /** Of the sockets at 127.0.0.11. */
  udp: number;
  tcp: number;
}

/**
 * Writes the table. To be called inside of the namespace.
 * @param isFresh nobody has written one there before: to take one away costs milliseconds, when the kernel frees it
 */
export function redirectNames(ports: RedirectedPorts, isFresh: boolean): void {
  const batch = new Batch();
  batch.addTable(table);
  if (!isFresh) {
    batch.deleteTable(table);
    batch.addTable(table);
  }
  batch.addChain(table, 'output', { type: 'nat', hook: hook.output, priority: priority.destinationNat });
  batch.addRule({
    table,
    chain: 'output',
    expressions: [
      ...isIpv4,
      payload(1, destinationOffset, 4),
      compare('is not', resolverBytes),
      decide(verdict.return),
    ],
  });
  for (const protocol of ['udp', 'tcp'] as const)
    batch.addRule({ table, chain: 'output', expressions: redirect(protocolNumber[protocol], ports[protocol]) });
  const socket = new NetlinkSocket(netlinkFamily.netfilter);
  try {
    socket.run(batch.end(), 'send names to the resolver');
  } finally {
    socket.close();
  }
}

function redirect(protocol: number, port: number): Expression[] {
  return [
    meta(metaKey.transportProtocol),
    compare('is', Buffer.of(protocol)),
    payload(2, portOffset, 2),
    compare('is', Buffer.of(0, 53)),
    load(resolverBytes, 1),
    load(Buffer.of(port >> 8, port & 255), 9),
    destinationNat(),
  ];
}
