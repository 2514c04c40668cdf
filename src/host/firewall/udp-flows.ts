/**
 * UDP has no connections, but the kernel remembers flows (nf_conntrack) and translates addresses only for the first datagram of
 * one. A client that goes on sending from the same port would so never reach a port published meanwhile, or for ever the
 * container that had it before. Such flows are made to be forgotten (include/uapi/linux/netfilter/nfnetlink_conntrack.h).
 */
import { addressBytes } from '../netlink/ip-network.ts';
import { errnoCode, SystemError } from '../netlink/libc.ts';
import { MessageWriter, netlinkFlag, readAttributes } from '../netlink/message.ts';
import type { NetlinkSocket } from '../netlink/netlink-socket.ts';
import { family, familyHeader } from './nf-tables.ts';
import type { PublishedPort } from './types.ts';

const subsystem = 1;
const conntrackMessage = { get: 1, delete: 2 } as const;
const attribute = { original: 1, reply: 2, id: 12, filter: 25 } as const;
const tuple = { address: 1, protocol: 2 } as const;
const tupleAddress = {
  4: { source: 1, destination: 2, family: family.ipv4 },
  6: { source: 3, destination: 4, family: family.ipv6 },
} as const;
const tupleProtocol = { number: 1, sourcePort: 2, destinationPort: 3 } as const;
const filterAttribute = { original: 1, reply: 2 } as const;
/** Which fields of a tuple the kernel's filter compares. */
const filterFlag = { source: 1, protocolNumber: 8, destinationPort: 32 } as const;
const udp = 17;
const mostQuestions = 4;
/** The first byte of 127.0.0.0/8. */
const loopback = 127;

type Version = 4 | 6;

interface End {
  source: Buffer;
  sourcePort: number;
  destination: Buffer;
  destinationPort: number;
  protocol: number;
}

interface Flow {
  version: Version;
  original: End;
  reply: End;
  /** What names the flow to the kernel. */
  originalBytes: Buffer;
  id: Buffer | undefined;
}

/**
 * Forgets flows to the host itself at ports that are published now, all of one family.
 * @param isLocal whether an address is the host's
 */
export function forgetFlowsToHost(
  socket: NetlinkSocket,
  ports: readonly PublishedPort[],
  isLocal: (address: Buffer) => boolean,
): void {
  const byPort = Map.groupBy(ports, ({ hostPort }) => hostPort ?? 0);
  const version = versionOf(ports);
  // The kernel walks its whole table for each question, so that many ports are asked for together.
  const asked = byPort.size > mostQuestions ? [null] : [...byPort.keys()];
  for (const flow of asked.flatMap((port) => flowsTo(socket, version, port))) {
    const { original, reply } = flow;
    if (original.protocol !== udp) continue;
    const isTranslated = !reply.source.equals(original.destination) || reply.sourcePort !== original.destinationPort;
    if (isTranslated) continue;
    const { destination, destinationPort } = original;
    const isHosts = (version === 4 && destination[0] === loopback) || isLocal(destination);
    const meant = (byPort.get(destinationPort) ?? []).some(({ hostAddress }) =>
      hostAddress === null ? isHosts : destination.equals(addressBytes(hostAddress)),
    );
    if (meant) forget(socket, flow);
  }
}

/** @param ports of one family, at least one */
function versionOf([first]: readonly PublishedPort[]): Version {
  return typeof first?.address === 'bigint' ? 6 : 4;
}

/** @param port null: every one */
function flowsTo(socket: NetlinkSocket, version: Version, port: number | null): Flow[] {
  return list(socket, version, (writer) => {
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

/** Forgets flows to containers whose ports, all of one family, are published no more. */
export function forgetFlowsToContainers(socket: NetlinkSocket, ports: readonly PublishedPort[]): void {
  const version = versionOf(ports);
  const nameOf = (address: Buffer, port: number): string => `${address.toString('hex')}:${port}`;
  const targets = new Set(ports.map(({ address, port }) => nameOf(addressBytes(address), port)));
  for (const bytes of new Set(ports.map((port) => port.address)).values().map(addressBytes)) {
    const flows = list(socket, version, (writer) => {
      writer.nest(attribute.reply, () => {
        writer.nest(tuple.address, () => writer.attribute(tupleAddress[version].source, bytes));
        writer.nest(tuple.protocol, () => writer.u8(tupleProtocol.number, udp));
      });
      writer.nest(attribute.filter, () => {
        writer.u32(filterAttribute.reply, filterFlag.source | filterFlag.protocolNumber);
      });
    });
    for (const flow of flows) {
      const { reply } = flow;
      if (reply.protocol !== udp || !targets.has(nameOf(reply.source, reply.sourcePort))) continue;
      forget(socket, flow);
    }
  }
}

/** A kernel older than 5.8 knows no filter and gives every flow: callers look at each. */
function list(socket: NetlinkSocket, version: Version, filter: (writer: MessageWriter) => void): Flow[] {
  const writer = new MessageWriter();
  const header = familyHeader(tupleAddress[version].family);
  writer.begin((subsystem << 8) | conntrackMessage.get, netlinkFlag.dump, header);
  filter(writer);
  return socket.dump(writer, 'list flows').flatMap(({ payload }) => {
    const attributes = readAttributes(payload.subarray(4));
    const originalBytes = attributes.get(attribute.original);
    const replyBytes = attributes.get(attribute.reply);
    const original = originalBytes && readEnd(originalBytes, version);
    const reply = replyBytes && readEnd(replyBytes, version);
    return originalBytes && original && reply
      ? [{ version, original, reply, originalBytes, id: attributes.get(attribute.id) }]
      : [];
  });
}

/** Null for an end of the other family. */
function readEnd(bytes: Buffer, version: Version): End | null {
  const parts = readAttributes(bytes);
  const address = parts.get(tuple.address);
  const protocol = parts.get(tuple.protocol);
  if (!address || !protocol) return null;
  const addresses = readAttributes(address);
  const ports = readAttributes(protocol);
  const sourcePort = ports.get(tupleProtocol.sourcePort);
  const destinationPort = ports.get(tupleProtocol.destinationPort);
  const source = addresses.get(tupleAddress[version].source);
  const destination = addresses.get(tupleAddress[version].destination);
  if (!sourcePort || !destinationPort || !source || !destination) return null;
  return {
    source,
    destination,
    sourcePort: sourcePort.readUInt16BE(0),
    destinationPort: destinationPort.readUInt16BE(0),
    protocol: ports.get(tupleProtocol.number)?.[0] ?? 0,
  };
}

function forget(socket: NetlinkSocket, flow: Flow): void {
  const writer = new MessageWriter();
  writer.begin(
    (subsystem << 8) | conntrackMessage.delete,
    netlinkFlag.acknowledge,
    familyHeader(tupleAddress[flow.version].family),
  );
  writer.attribute(attribute.original | 0x8000, flow.originalBytes);
  if (flow.id) writer.attribute(attribute.id, flow.id);
  try {
    socket.run(writer, 'forget a flow');
  } catch (error) {
    // It ended by itself.
    if (!(error instanceof SystemError) || error.errno !== errnoCode.ENOENT) throw error;
  }
}
