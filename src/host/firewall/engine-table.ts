/**
 * The table of one engine:
 *
 *   addressed, everywhere   maps: published port → address and port of its container
 *   bridges, internal       the engine's bridges, and those without a way out
 *   masqueraded, inside     bridges whose traffic leaves with the host's address; each subnet at its own bridge
 *   sources                 bridge → the address that its traffic leaves with, where that is not the way out's
 *   direct, open            address and port that may be reached without translation; bridges where all may
 *   neighbours              pairs of bridges between which containers may talk: each with itself
 *   prerouting, output      packets to an address of the host go through `publish`. What comes in from a wire for 127.0.0.0/8 does
 *                           not: ports published there are the host's own affair, also before the kernel's check for martians.
 *   guard                   route_localnet is on for the bridges; 127.0.0.0/8 is closed to containers here (CVE-2020-8558)
 *   forward                 into a bridge go answers, published ports and its own containers; nothing else, so neither
 *                           other bridges nor neighbours that route to a container's address
 *   postrouting             the host's address for what leaves; the bridge's for what the host's loopback or a container asks
 *                           of a published port, because the answer must come back through here
 */
import { lastAddress, netmask } from '../netlink/cidr.ts';
import {
  type Batch,
  compare,
  ct,
  ctKey,
  dataType,
  decide,
  destinationNat,
  destinationType,
  type Element,
  type Expression,
  hook,
  isIpv4,
  lookup,
  mask,
  masquerade,
  meta,
  metaKey,
  payload,
  priority,
  protocolNumber,
  sourceNat,
  verdict,
} from './nf-tables.ts';
import type { FilteredNetwork, PublishedPort, TableContent } from './types.ts';

const mapOfAddresses = 'addressed';
const mapOfEverywhere = 'everywhere';

const nameLength = 16;
const sourceOffset = 12;
const destinationOffset = 16;
const portOffset = 2;
const localAddress = 2;
const ctState = { establishedOrRelated: 2 | 4 } as const;
const ctStatus = { destinationNat: 32 } as const;

/** Adds everything of the table to a transaction. */
export function writeTable(batch: Batch, table: string, content: TableContent): void {
  batch.addTable(table);
  batch.addChain(table, 'publish', null);
  batch.addChain(table, 'prerouting', { type: 'nat', hook: hook.prerouting, priority: priority.destinationNat });
  batch.addChain(table, 'output', { type: 'nat', hook: hook.output, priority: priority.destinationNat });
  batch.addChain(table, 'guard', { type: 'filter', hook: hook.prerouting, priority: priority.raw });
  batch.addChain(table, 'forward', { type: 'filter', hook: hook.forward, priority: priority.filter });
  batch.addChain(table, 'postrouting', { type: 'nat', hook: hook.postrouting, priority: priority.sourceNat });
  writeSets(batch, table, content);
  for (const [chain, expressions] of rules(content)) batch.addRule({ table, chain, expressions });
}

/** The elements of published ports, by map. */
export function portElements(ports: readonly PublishedPort[]): [string, Element[]][] {
  const mapped = ports.filter((port) => port.hostPort !== null);
  const addressed = mapped.filter((port) => port.hostAddress !== null);
  const everywhere = mapped.filter((port) => port.hostAddress === null);
  const direct = new Map(ports.filter((port) => port.isDirect).map((port) => [directKey(port).toString('hex'), port]));
  return [
    ['direct', [...direct.values()].map((port) => ({ key: directKey(port) }))],
    [mapOfAddresses, addressed.map(portElement)],
    [mapOfEverywhere, everywhere.map(portElement)],
  ];
}

/** The container's side of a port. */
function directKey({ address, protocol, port }: PublishedPort): Buffer {
  const key = Buffer.alloc(12);
  key.writeUInt32BE(address);
  key[4] = protocolNumber[protocol];
  key.writeUInt16BE(port, 8);
  return key;
}

/** Each field takes a multiple of four bytes. */
function portElement(port: PublishedPort): Element {
  const at = port.hostAddress === null ? 0 : 4;
  const key = Buffer.alloc(8 + at);
  if (port.hostAddress !== null) key.writeUInt32BE(port.hostAddress);
  key[at] = protocolNumber[port.protocol];
  key.writeUInt16BE(port.hostPort ?? 0, at + 4);
  const data = Buffer.alloc(8);
  data.writeUInt32BE(port.address);
  data.writeUInt16BE(port.port, 4);
  return { key, data };
}

function writeSets(batch: Batch, table: string, { networks, ports, separated }: TableContent): void {
  const { ipv4, protocol, service, interfaceName } = dataType;
  const target = { dataTypes: [ipv4, service], dataLength: 8 };
  batch.addSet(table, { name: mapOfAddresses, keyTypes: [ipv4, protocol, service], keyLength: 12, ...target });
  batch.addSet(table, { name: mapOfEverywhere, keyTypes: [protocol, service], keyLength: 8, ...target });
  batch.addSet(table, { name: 'direct', keyTypes: [ipv4, protocol, service], keyLength: 12 });
  for (const [map, elements] of portElements(ports)) batch.addElements(table, map, elements);

  const bySource = { keyTypes: [interfaceName], keyLength: nameLength, dataTypes: [ipv4], dataLength: 4 };
  batch.addSet(table, { name: 'sources', ...bySource });
  for (const name of ['bridges', 'internal', 'masqueraded', 'separated', 'open'])
    batch.addSet(table, { name, keyTypes: [interfaceName], keyLength: nameLength });
  batch.addSet(table, { name: 'neighbours', keyTypes: [interfaceName, interfaceName], keyLength: 2 * nameLength });
  batch.addSet(table, {
    name: 'inside',
    keyTypes: [ipv4, interfaceName],
    keyLength: 4 + nameLength,
    intervalOf: [4, nameLength],
  });
  batch.addElements(table, 'separated', elementsOf(separated.map(interfaceBytes)));
  for (const [set, elements] of networkElements(networks)) batch.addElements(table, set, elements);
}

/** What networks are in the table: elements by set. */
export function networkElements(networks: readonly FilteredNetwork[]): [string, Element[]][] {
  const named = (those: readonly FilteredNetwork[]): Element[] =>
    elementsOf(those.map(({ bridge }) => interfaceBytes(bridge)));
  const open = networks
    .filter(({ betweenContainers }) => betweenContainers)
    .map(({ bridge }) => interfaceBytes(bridge));
  return [
    ['bridges', named(networks)],
    ['internal', named(networks.filter(({ internal }) => internal))],
    ['open', named(networks.filter(({ isOpen }) => isOpen))],
    ['sources', networks.flatMap(sourceElement)],
    ['masqueraded', named(networks.filter(({ masquerade: isOn }) => isOn))],
    ['neighbours', elementsOf(open.map((name) => Buffer.concat([name, name])))],
    ['inside', networks.map(insideElement)],
  ];
}

function sourceElement({ bridge, source, masquerade: isOn }: FilteredNetwork): Element[] {
  if (source === null || !isOn) return [];
  const data = Buffer.alloc(4);
  data.writeUInt32BE(source);
  return [{ key: interfaceBytes(bridge), data }];
}

/** Every address of the subnet, at the bridge. */
function insideElement({ subnet, bridge }: FilteredNetwork): Element {
  const first = Buffer.alloc(4);
  first.writeUInt32BE((subnet.address & netmask(subnet.prefix)) >>> 0);
  const last = Buffer.alloc(4);
  last.writeUInt32BE(lastAddress(subnet));
  const name = interfaceBytes(bridge);
  return { key: Buffer.concat([first, name]), keyEnd: Buffer.concat([last, name]) };
}

function elementsOf(keys: readonly Uint8Array[]): Element[] {
  return keys.map((key) => ({ key }));
}

function rules({ separated }: TableContent): [string, Expression[]][] {
  const toLoopback = [...isIpv4, payload(1, destinationOffset, 1), compare('is', Buffer.of(127))];
  const fromOutside = [meta(metaKey.inputName), compare('is not', interfaceBytes('lo'))];
  const toHost = [destinationType(), compare('is', u32(localAddress))];
  const keyOfPort = (register: number): Expression[] => [
    meta(metaKey.transportProtocol, register),
    payload(2, portOffset, 2, register === 1 ? 9 : register + 1),
  ];
  const publish = decide(verdict.jump, 'publish');
  const accept = decide(verdict.accept);
  const drop = decide(verdict.drop);
  const list: [string, Expression[]][] = [
    [
      'publish',
      [...isIpv4, payload(1, destinationOffset, 4), ...keyOfPort(9), lookup(mapOfAddresses, 'map'), destinationNat()],
    ],
    ['publish', [...isIpv4, ...keyOfPort(1), lookup(mapOfEverywhere, 'map'), destinationNat()]],
    ['prerouting', [...fromOutside, ...toLoopback, decide(verdict.return)]],
    ['prerouting', [...toHost, publish]],
    ['output', [...toHost, publish]],
    ['guard', [meta(metaKey.inputName), lookup('bridges'), ...toLoopback, drop]],
    ['forward', [ct(ctKey.state), ...anyBit(ctState.establishedOrRelated), accept]],
    ['forward', [ct(ctKey.status), ...anyBit(ctStatus.destinationNat), accept]],
    ['forward', [meta(metaKey.inputName), meta(metaKey.outputName, 2), lookup('neighbours'), accept]],
    ['forward', [meta(metaKey.outputName), lookup('open'), accept]],
    [
      'forward',
      [
        ...[meta(metaKey.inputName), lookup('bridges', 'without'), ...isIpv4],
        ...[payload(1, destinationOffset, 4), ...keyOfPort(9), lookup('direct'), accept],
      ],
    ],
    ['forward', [meta(metaKey.outputName), lookup('bridges'), drop]],
    ['forward', [meta(metaKey.inputName), lookup('internal'), drop]],
  ];
  if (separated.length > 0) {
    list.push([
      'forward',
      [meta(metaKey.inputName), lookup('separated'), meta(metaKey.outputName), lookup('separated'), drop],
    ]);
  }
  const fromLoopback = [...isIpv4, payload(1, sourceOffset, 1), compare('is', Buffer.of(127))];
  const isPublished = [ct(ctKey.status), ...anyBit(ctStatus.destinationNat)];
  // The address fills one register of four bytes, the name begins behind it.
  const stayingInside = [...isIpv4, payload(1, sourceOffset, 4), meta(metaKey.outputName, 9)];
  list.push(
    ['postrouting', [meta(metaKey.outputName), lookup('bridges'), ...fromLoopback, masquerade()]],
    ['postrouting', [...stayingInside, lookup('inside'), ...isPublished, masquerade()]],
    [
      'postrouting',
      [
        ...[meta(metaKey.inputName), lookup('masqueraded'), ...stayingInside, lookup('inside', 'without')],
        ...[meta(metaKey.inputName), lookup('sources', 'map'), sourceNat()],
      ],
    ],
    [
      'postrouting',
      [meta(metaKey.inputName), lookup('masqueraded'), ...stayingInside, lookup('inside', 'without'), masquerade()],
    ],
  );
  return list;
}

/** Register 1 has one of the bits (in the machine's order). */
function anyBit(bits: number): Expression[] {
  return [mask(u32(bits)), compare('is not', u32(0))];
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

/** The name of an interface as the kernel compares it. */
function interfaceBytes(name: string): Buffer {
  const bytes = Buffer.alloc(nameLength);
  bytes.write(name);
  return bytes;
}
