/**
 * The table of one engine. What names addresses is there twice, with a 6 behind its name for IPv6:
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
 *                           ::1 and link-local clients of IPv6 are served by the shim: their addresses lead nowhere else.
 *   guard                   route_localnet is on for the bridges; 127.0.0.0/8 is closed to containers here (CVE-2020-8558)
 *   forward                 into a bridge go answers, published ports and its own containers; nothing else, so neither
 *                           other bridges nor neighbours that route to a container's address
 *   postrouting             the host's address for what leaves; the bridge's for what the host's loopback or a container asks
 *                           of a published port, because the answer must come back through here
 */
import { addressBytes, ipNetworkOf, lastIp } from '../netlink/ip-network.ts';
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
  isIpv6,
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
import type {
  FilteredAddress,
  FilteredNetwork,
  FilteredSubnet,
  FilteredVersion,
  PublishedPort,
  TableContent,
} from './types.ts';

/** What is different about a family. Registers of four bytes are numbered from 8, those of sixteen from 1. */
interface Family {
  version: FilteredVersion;
  /** Behind the names of its sets. */
  suffix: '' | '6';
  type: number;
  addressLength: number;
  /** In the network header. */
  sourceOffset: number;
  destinationOffset: number;
  is: readonly Expression[];
  /** Behind an address in register 1. */
  nextRegister: number;
}

const families: readonly Family[] = [
  {
    ...{ version: 4, suffix: '', type: dataType.ipv4, addressLength: 4, is: isIpv4 },
    ...{ sourceOffset: 12, destinationOffset: 16, nextRegister: 9 },
  },
  {
    ...{ version: 6, suffix: '6', type: dataType.ipv6, addressLength: 16, is: isIpv6 },
    ...{ sourceOffset: 8, destinationOffset: 24, nextRegister: 12 },
  },
];

const nameLength = 16;
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
  return families.flatMap(({ version, suffix }) => {
    const own = ports.filter(({ address }) => versionOf(address) === version);
    const rows = rowsOf(own.filter((port) => port.hostPort !== null));
    const those = (isAddressed: boolean, isRange: boolean): PortRow[] =>
      rows.filter(({ first, count }) => (first.hostAddress !== null) === isAddressed && count > 1 === isRange);
    const direct = new Map(own.filter((port) => port.isDirect).map((port) => [directKey(port).toString('hex'), port]));
    const elements: [string, Element[]][] = [
      ['direct', [...direct.values()].map((port) => ({ key: directKey(port) }))],
      ['addressed', those(true, false).map(portElement)],
      ['everywhere', those(false, false).map(portElement)],
      ['addressedRanges', those(true, true).map(rangeElement)],
      ['everywhereRanges', those(false, true).map(rangeElement)],
    ];
    return elements.map(([name, list]): [string, Element[]] => [name + suffix, list]);
  });
}

function versionOf(address: FilteredAddress): FilteredVersion {
  return typeof address === 'bigint' ? 6 : 4;
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
  return Buffer.concat([addressBytes(address), protocolAndPort(protocol, port)]);
}

/** Each field takes a multiple of four bytes. */
function protocolAndPort(protocol: PublishedPort['protocol'], port: number): Buffer {
  return Buffer.of(protocolNumber[protocol], 0, 0, 0, port >> 8, port & 255, 0, 0);
}

function portElement({ first }: PortRow): Element {
  const { address, port } = first;
  const data = Buffer.concat([addressBytes(address), Buffer.of(port >> 8, port & 255, 0, 0)]);
  return { key: portKey(first, first.hostPort ?? 0), data };
}

function rangeElement({ first, count }: PortRow): Element {
  const data = addressBytes(first.address);
  return { key: portKey(first, first.port), keyEnd: portKey(first, first.port + count - 1), data };
}

function portKey({ hostAddress, protocol }: PublishedPort, hostPort: number): Buffer {
  const port = protocolAndPort(protocol, hostPort);
  return hostAddress === null ? port : Buffer.concat([addressBytes(hostAddress), port]);
}

function writeSets(batch: Batch, table: string, { networks, ports, separated }: TableContent): void {
  const { interfaceName } = dataType;
  for (const name of ['bridges', 'internal'])
    batch.addSet(table, { name, keyTypes: [interfaceName], keyLength: nameLength });
  batch.addSet(table, { name: 'neighbours', keyTypes: [interfaceName, interfaceName], keyLength: 2 * nameLength });
  for (const family of families) {
    writeFamilySets(batch, table, family);
    const names = separated[family.version].map(interfaceBytes);
    batch.addElements(table, `separated${family.suffix}`, elementsOf(names));
  }
  for (const [map, elements] of portElements(ports)) batch.addElements(table, map, elements);
  for (const [set, elements] of networkElements(networks)) batch.addElements(table, set, elements);
}

function writeFamilySets(batch: Batch, table: string, { suffix, type, addressLength }: Family): void {
  const { protocol, service, interfaceName } = dataType;
  const address = { keyTypes: [type, protocol, service], keyLength: addressLength + 8 };
  const port = { keyTypes: [protocol, service], keyLength: 8 };
  const target = { dataTypes: [type, service], dataLength: addressLength + 4 };
  const container = { dataTypes: [type], dataLength: addressLength };
  const named = { keyTypes: [interfaceName], keyLength: nameLength };
  batch.addSet(table, { name: `addressed${suffix}`, ...address, ...target });
  batch.addSet(table, { name: `everywhere${suffix}`, ...port, ...target });
  batch.addSet(table, {
    name: `addressedRanges${suffix}`,
    ...address,
    intervalOf: [addressLength, 1, 2],
    ...container,
  });
  batch.addSet(table, { name: `everywhereRanges${suffix}`, ...port, intervalOf: [1, 2], ...container });
  batch.addSet(table, { name: `direct${suffix}`, ...address });
  batch.addSet(table, { name: `sources${suffix}`, ...named, ...container });
  for (const name of ['masqueraded', 'separated', 'open']) batch.addSet(table, { name: name + suffix, ...named });
  batch.addSet(table, {
    name: `inside${suffix}`,
    keyTypes: [type, interfaceName],
    keyLength: addressLength + nameLength,
    intervalOf: [addressLength, nameLength],
  });
}

/** What networks are in the table: elements by set. */
export function networkElements(networks: readonly FilteredNetwork[]): [string, Element[]][] {
  const named = (those: readonly { bridge: string }[]): Element[] =>
    elementsOf(those.map(({ bridge }) => interfaceBytes(bridge)));
  const open = networks
    .filter(({ betweenContainers }) => betweenContainers)
    .map(({ bridge }) => interfaceBytes(bridge));
  const ofFamily = ({ version, suffix }: Family): [string, Element[]][] => {
    const subnets = networks.flatMap(({ bridge, subnets: own }) =>
      own.filter((subnet) => subnet.version === version).map((subnet) => ({ bridge, ...subnet })),
    );
    return [
      [`open${suffix}`, named(subnets.filter(({ isOpen }) => isOpen))],
      [`sources${suffix}`, subnets.flatMap(sourceElement)],
      [`masqueraded${suffix}`, named(subnets.filter(({ masquerade: isOn }) => isOn))],
      [`inside${suffix}`, subnets.map(insideElement)],
    ];
  };
  return [
    ['bridges', named(networks)],
    ['internal', named(networks.filter(({ internal }) => internal))],
    ['neighbours', elementsOf(open.map((name) => Buffer.concat([name, name])))],
    ...families.flatMap(ofFamily),
  ];
}

type BridgedSubnet = FilteredSubnet & { bridge: string };

function sourceElement({ bridge, source, masquerade: isOn }: BridgedSubnet): Element[] {
  return source === null || !isOn ? [] : [{ key: interfaceBytes(bridge), data: addressBytes(source) }];
}

/** Every address of the subnet, at the bridge. */
function insideElement({ bridge, ...subnet }: BridgedSubnet): Element {
  const bytes = (address: bigint): Buffer => addressBytes(subnet.version === 4 ? Number(address) : address);
  const name = interfaceBytes(bridge);
  return {
    key: Buffer.concat([bytes(ipNetworkOf(subnet).address), name]),
    keyEnd: Buffer.concat([bytes(lastIp(subnet)), name]),
  };
}

function elementsOf(keys: readonly Uint8Array[]): Element[] {
  return keys.map((key) => ({ key }));
}

function rules({ separated, versions }: TableContent): [string, Expression[]][] {
  const toLoopback = [...isIpv4, payload(1, 16, 1), compare('is', Buffer.of(127))];
  const fromOutside = [meta(metaKey.inputName), compare('is not', interfaceBytes('lo'))];
  const toHost = [destinationType(), compare('is', u32(localAddress))];
  const publish = decide(verdict.jump, 'publish');
  const accept = decide(verdict.accept);
  const drop = decide(verdict.drop);
  const list: [string, Expression[]][] = [
    ['publish', [...isIpv6, payload(1, 24, 16), compare('is', addressBytes(1n)), decide(verdict.return)]],
    [
      'publish',
      [
        ...isIpv6,
        payload(1, 8, 2),
        mask(Buffer.of(0xff, 0xc0)),
        compare('is', Buffer.of(0xfe, 0x80)),
        decide(verdict.return),
      ],
    ],
    ...families.flatMap(publishRules),
    ['prerouting', [...fromOutside, ...toLoopback, decide(verdict.return)]],
    ['prerouting', [...toHost, publish]],
    ['output', [...toHost, publish]],
    ['guard', [meta(metaKey.inputName), lookup('bridges'), ...toLoopback, drop]],
    ...families.filter(({ version }) => !versions.includes(version)).map(passes),
    ['forward', [ct(ctKey.state), ...anyBit(ctState.establishedOrRelated), accept]],
    ['forward', [ct(ctKey.status), ...anyBit(ctStatus.destinationNat), accept]],
    ['forward', [meta(metaKey.inputName), meta(metaKey.outputName, 2), lookup('neighbours'), accept]],
    ...families.flatMap(directRules),
    ['forward', [meta(metaKey.outputName), lookup('bridges'), drop]],
    ['forward', [meta(metaKey.inputName), lookup('internal'), drop]],
  ];
  for (const { version, suffix, is } of families) {
    if (separated[version].length === 0) continue;
    const own = lookup(`separated${suffix}`);
    list.push(['forward', [...is, meta(metaKey.inputName), own, meta(metaKey.outputName), own, drop]]);
  }
  const fromLoopback = [...isIpv4, payload(1, 12, 1), compare('is', Buffer.of(127))];
  list.push(['postrouting', [meta(metaKey.outputName), lookup('bridges'), ...fromLoopback, masquerade()]]);
  return [...list, ...families.flatMap(leavingRules)];
}

/** Nobody is kept out in that family. */
function passes({ is }: Family): [string, Expression[]] {
  return ['forward', [...is, decide(verdict.accept)]];
}

/** Protocol and port of a packet, behind its destination or alone. */
function askedPort({ nextRegister }: Family, place: 'behind an address' | 'alone'): Expression[] {
  const register = place === 'alone' ? 1 : nextRegister;
  // Register 1 is 8 of the small ones.
  const portRegister = register === 1 ? 9 : register + 1;
  return [meta(metaKey.transportProtocol, register), payload(2, portOffset, 2, portRegister)];
}

/** From a published port to the container. */
function publishRules(family: Family): [string, Expression[]][] {
  const { version, suffix, is, destinationOffset, addressLength } = family;
  const addressed = [...is, payload(1, destinationOffset, addressLength), ...askedPort(family, 'behind an address')];
  const everywhere = [...is, ...askedPort(family, 'alone')];
  return (['', 'Ranges'] as const).flatMap((kind): [string, Expression[]][] => {
    const translate = destinationNat(kind === '' ? 'sets port' : 'keeps port', version);
    return [
      ['publish', [...addressed, lookup(`addressed${kind}${suffix}`, 'map'), translate]],
      ['publish', [...everywhere, lookup(`everywhere${kind}${suffix}`, 'map'), translate]],
    ];
  });
}

/** What may be reached at its own address. */
function directRules(family: Family): [string, Expression[]][] {
  const { suffix, is, destinationOffset, addressLength } = family;
  const accept = decide(verdict.accept);
  return [
    ['forward', [...is, meta(metaKey.outputName), lookup(`open${suffix}`), accept]],
    [
      'forward',
      [
        ...[meta(metaKey.inputName), lookup('bridges', 'without'), ...is],
        ...[payload(1, destinationOffset, addressLength), ...askedPort(family, 'behind an address')],
        ...[lookup(`direct${suffix}`), accept],
      ],
    ],
  ];
}

/** The address that packets leave a network with. */
function leavingRules({
  version,
  suffix,
  is,
  sourceOffset,
  addressLength,
  nextRegister,
}: Family): [string, Expression[]][] {
  const isPublished = [ct(ctKey.status), ...anyBit(ctStatus.destinationNat)];
  // The name begins behind the address.
  const way = [...is, payload(1, sourceOffset, addressLength), meta(metaKey.outputName, nextRegister)];
  const leaving = [
    ...[meta(metaKey.inputName), lookup(`masqueraded${suffix}`)],
    ...[...way, lookup(`inside${suffix}`, 'without')],
  ];
  return [
    ['postrouting', [...way, lookup(`inside${suffix}`), ...isPublished, masquerade()]],
    ['postrouting', [...leaving, meta(metaKey.inputName), lookup(`sources${suffix}`, 'map'), sourceNat(version)]],
    ['postrouting', [...leaving, masquerade()]],
  ];
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
