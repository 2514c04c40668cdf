/**
 * UDP has no connections, but the kernel remembers flows (nf_conntrack) and translates addresses only for the first datagram of
 * one. A client that goes on sending from the same port would so never reach a port published meanwhile, or for ever the
 * container that had it before. Such flows are made to be forgotten (include/uapi/linux/netfilter/nfnetlink_conntrack.h).
 */
import { contains, formatAddress } from '../netlink/cidr.ts';
import { errnoCode, SystemError } from '../netlink/libc.ts';
import { MessageWriter, netlinkFlag, readAttributes } from '../netlink/message.ts';
import type { NetlinkSocket } from '../netlink/netlink-socket.ts';
import { family, familyHeader } from './nf-tables.ts';
import type { PublishedPort } from './types.ts';

const subsystem = 1;
const conntrackMessage = { get: 1, delete: 2 } as const;
const attribute = { original: 1, reply: 2, id: 12, filter: 25 } as const;
const tuple = { address: 1, protocol: 2 } as const;
const tupleAddress = { source: 1, destination: 2 } as const;
const tupleProtocol = { number: 1, sourcePort: 2, destinationPort: 3 } as const;
const filterAttribute = { original: 1, reply: 2 } as const;
/** Which fields of a tuple the kernel's filter compares. */
const filterFlag = { source: 1, protocolNumber: 8, destinationPort: 32 } as const;
const udp = 17;
const mostQuestions = 4;
const loopback = { address: 0x7f000000, prefix: 8 };

interface End {
  source: number;
  sourcePort: number;
  destination: number;
  destinationPort: number;
  protocol: number;
}

interface Flow {
  original: End;
  reply: End;
  /** What names the flow to the kernel. */
  originalBytes: Buffer;
  id: Buffer | undefined;
}

/** Forgets flows to the host itself at ports that are published now. @param isLocal whether an address is the host's */
export function forgetFlowsToHost(
  socket: NetlinkSocket,
  ports: readonly PublishedPort[],
  isLocal: (address: number) => boolean,
): void {
  const byPort = Map.groupBy(ports, ({ hostPort }) => hostPort ?? 0);
  // The kernel walks its whole table for each question, so that many ports are asked for together.
  const asked = byPort.size > mostQuestions ? [null] : [...byPort.keys()];
  for (const flow of asked.flatMap((port) => flowsTo(socket, port))) {
    const { original, reply } = flow;
    if (original.protocol !== udp) continue;
    const isTranslated = reply.source !== original.destination || reply.sourcePort !== original.destinationPort;
    if (isTranslated) continue;
    const { destination, destinationPort } = original;
    const isHosts = contains(loopback, destination) || isLocal(destination);
    const meant = (byPort.get(destinationPort) ?? []).some(({ hostAddress }) =>
      hostAddress === null ? isHosts : destination === hostAddress,
    );
    if (meant) forget(socket, flow);
  }
}

/** @param port null: every one */
function flowsTo(socket: NetlinkSocket, port: number | null): Flow[] {
  return list(socket, (writer) => {
    writer.nest(attribute.original, () => {
      writer.nest(tuple.protocol, () => {
        writer.u8(tupleProtocol.number, udp);
        if (port !== null) writer.attribute(tupleProtocol.destinationPort, Buffer.of(port >> 8, port & 255));
      });
    });
    writer.nest(attribute.filter, () => {
      const ofPort = port === null ? 0 : filterFlag.destinationPort;
      writer.u32(filterAttribute.original, filterFlag.protocolNumber | ofPort);
    });
  });
}

/** Forgets flows to containers whose ports are published no more. */
export function forgetFlowsToContainers(socket: NetlinkSocket, ports: readonly PublishedPort[]): void {
  const targets = new Set(ports.map(({ address, port }) => `${formatAddress(address)}:${port}`));
  for (const address of new Set(ports.map((port) => port.address))) {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(address);
    const flows = list(socket, (writer) => {
      writer.nest(attribute.reply, () => {
        writer.nest(tuple.address, () => writer.attribute(tupleAddress.source, bytes));
        writer.nest(tuple.protocol, () => writer.u8(tupleProtocol.number, udp));
      });
      writer.nest(attribute.filter, () => {
        writer.u32(filterAttribute.reply, filterFlag.source | filterFlag.protocolNumber);
      });
    });
    for (const flow of flows) {
      const { reply } = flow;
      if (reply.protocol !== udp || !targets.has(`${formatAddress(reply.source)}:${reply.sourcePort}`)) continue;
      forget(socket, flow);
    }
  }
}

/** A kernel older than 5.8 knows no filter and gives every flow: callers look at each. */
function list(socket: NetlinkSocket, filter: (writer: MessageWriter) => void): Flow[] {
  const writer = new MessageWriter();
  writer.begin((subsystem << 8) | conntrackMessage.get, netlinkFlag.dump, familyHeader(family.ipv4));
  filter(writer);
  return socket.dump(writer, 'list flows').flatMap(({ payload }) => {
    const attributes = readAttributes(payload.subarray(4));
    const originalBytes = attributes.get(attribute.original);
    const replyBytes = attributes.get(attribute.reply);
    const original = originalBytes && readEnd(originalBytes);
    const reply = replyBytes && readEnd(replyBytes);
    return originalBytes && original && reply
      ? [{ original, reply, originalBytes, id: attributes.get(attribute.id) }]
      : [];
  });
}

function readEnd(bytes: Buffer): End | null {
  const parts = readAttributes(bytes);
  const address = parts.get(tuple.address);
  const protocol = parts.get(tuple.protocol);
  if (!address || !protocol) return null;
  const addresses = readAttributes(address);
  const ports = readAttributes(protocol);
  const sourcePort = ports.get(tupleProtocol.sourcePort);
  const destinationPort = ports.get(tupleProtocol.destinationPort);
  const source = addresses.get(tupleAddress.source);
  const destination = addresses.get(tupleAddress.destination);
  if (!sourcePort || !destinationPort || !source || !destination) return null;
  return {
    source: source.readUInt32BE(0),
    destination: destination.readUInt32BE(0),
    sourcePort: sourcePort.readUInt16BE(0),
    destinationPort: destinationPort.readUInt16BE(0),
    protocol: ports.get(tupleProtocol.number)?.[0] ?? 0,
  };
}

function forget(socket: NetlinkSocket, flow: Flow): void {
  const writer = new MessageWriter();
  writer.begin((subsystem << 8) | conntrackMessage.delete, netlinkFlag.acknowledge, familyHeader(family.ipv4));
  writer.attribute(attribute.original | 0x8000, flow.originalBytes);
  if (flow.id) writer.attribute(attribute.id, flow.id);
  try {
    socket.run(writer, 'forget a flow');
  } catch (error) {
    // It ended by itself.
    if (!(error instanceof SystemError) || error.errno !== errnoCode.ENOENT) throw error;
  }
}
