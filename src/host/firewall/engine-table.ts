/**
 * The table of one engine:
 *
 *   addressed, everywhere   maps: published port → address and port of its container
 *   …Ranges                 the same for many ports in a row that keep their numbers: one element → address of the container
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
const rangesOfAddresses = 'addressedRanges';
const rangesOfEverywhere = 'everywhereRanges';

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
  const rows = rowsOf(ports.filter((port) => port.hostPort !== null));
  const those = (isAddressed: boolean, isRange: boolean): PortRow[] =>
    rows.filter(({ first, count }) => (first.hostAddress !== null) === isAddressed && count > 1 === isRange);
  const direct = new Map(ports.filter((port) => port.isDirect).map((port) => [directKey(port).toString('hex'), port]));
  return [
    ['direct', [...direct.values()].map((port) => ({ key: directKey(port) }))],
    [mapOfAddresses, those(true, false).map(portElement)],
    [mapOfEverywhere, those(false, false).map(portElement)],
    [rangesOfAddresses, those(true, true).map(rangeElement)],
    [rangesOfEverywhere, those(false, true).map(rangeElement)],
  ];
}

/** Ports in a row that are one element, or a single one. */
interface PortRow {
  first: PublishedPort;
  count: number;
}

/** The same rows for the same ports, so that what was added can be taken away. Ports of several addresses may come by turns. */
function rowsOf(ports: readonly PublishedPort[]): PortRow[] {
  const rows: PortRow[] = [];
  const last = new Map<string, PortRow>();
  for (const port of ports) {
    const place = `${port.protocol} ${port.hostAddress} ${port.address}`;
    const row = last.get(place);
    if (row && continues(row, port)) {
      row.count++;
      continue;
    }
    const begun = { first: port, count: 1 };
    rows.push(begun);
    last.set(place, begun);
  }
  return rows;
}

/** @param row of the same protocol and addresses */
function continues({ first, count }: PortRow, { hostPort, port }: PublishedPort): boolean {
  return first.hostPort === first.port && hostPort === port && port === first.port + count;
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
function portElement({ first }: PortRow): Element {
  const data = Buffer.alloc(8);
  data.writeUInt32BE(first.address);
  data.writeUInt16BE(first.port, 4);
  return { key: portKey(first, first.hostPort ?? 0), data };
}

function rangeElement({ first, count }: PortRow): Element {
  const data = Buffer.alloc(4);
  data.writeUInt32BE(first.address);
  return { key: portKey(first, first.port), keyEnd: portKey(first, first.port + count - 1), data };
}

function portKey({ hostAddress, protocol }: PublishedPort, hostPort: number): Buffer {
  const at = hostAddress === null ? 0 : 4;
  const key = Buffer.alloc(8 + at);
  if (hostAddress !== null) key.writeUInt32BE(hostAddress);
  key[at] = protocolNumber[protocol];
  key.writeUInt16BE(hostPort, at + 4);
  return key;
}

function writeSets(batch: Batch, table: string, { networks, ports, separated }: TableContent): void {
  const { ipv4, protocol, service, interfaceName } = dataType;
  const target = { dataTypes: [ipv4, service], dataLength: 8 };
  batch.addSet(table, { name: mapOfAddresses, keyTypes: [ipv4, protocol, service], keyLength: 12, ...target });
  batch.addSet(table, { name: mapOfEverywhere, keyTypes: [protocol, service], keyLength: 8, ...target });
  const container = { dataTypes: [ipv4], dataLength: 4 };
  batch.addSet(table, {
    name: rangesOfAddresses,
    ...{ keyTypes: [ipv4, protocol, service], keyLength: 12, intervalOf: [4, 1, 2] },
    ...container,
  });
  batch.addSet(table, {
    name: rangesOfEverywhere,
    ...{ keyTypes: [protocol, service], keyLength: 8, intervalOf: [1, 2] },
    ...container,
  });
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
    [
      'publish',
      [
        ...[...isIpv4, payload(1, destinationOffset, 4), ...keyOfPort(9)],
        ...[lookup(rangesOfAddresses, 'map'), destinationNat('keeps port')],
      ],
    ],
    ['publish', [...isIpv4, ...keyOfPort(1), lookup(rangesOfEverywhere, 'map'), destinationNat('keeps port')]],
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
