/**
 * The table of one engine:
 *
 *   addressed, everywhere   maps: published port → address and port of its container
 *   bridges, internal       the engine's bridges, and those without a way out
 *   neighbours              pairs of bridges between which containers may talk: each with itself
 *   prerouting, output      packets to an address of the host go through `publish`. What comes in from a wire for 127.0.0.0/8 does
 *                           not: ports published there are the host's own affair, also before the kernel's check for martians.
 *   guard                   route_localnet is on for the bridges; 127.0.0.0/8 is closed to containers here (CVE-2020-8558)
 *   forward                 into a bridge go answers, published ports and its own containers; nothing else, so neither
 *                           other bridges nor neighbours that route to a container's address
 *   postrouting             the host's address for what leaves; the bridge's for what the host's loopback or a container asks
 *                           of a published port, because the answer must come back through here
 */
import { type Cidr, netmask } from '../netlink/cidr.ts';
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
  family,
  hook,
  lookup,
  mask,
  masquerade,
  meta,
  metaKey,
  payload,
  verdict,
} from './nf-tables.ts';
import type { FilteredNetwork, PublishedPort, TableContent } from './types.ts';

export const mapOfAddresses = 'addressed';
export const mapOfEverywhere = 'everywhere';

const protocolNumber = { tcp: 6, udp: 17 } as const;
const nameLength = 16;
const sourceOffset = 12;
const destinationOffset = 16;
const portOffset = 2;
const localAddress = 2;
const priority = { raw: -300, destinationNat: -100, filter: 0, sourceNat: 100 } as const;
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
  const addressed = ports.filter((port) => port.hostAddress !== null);
  const everywhere = ports.filter((port) => port.hostAddress === null);
  return [
    [mapOfAddresses, addressed.map(portElement)],
    [mapOfEverywhere, everywhere.map(portElement)],
  ];
}

/** Each field takes a multiple of four bytes. */
function portElement(port: PublishedPort): Element {
  const at = port.hostAddress === null ? 0 : 4;
  const key = Buffer.alloc(8 + at);
  if (port.hostAddress !== null) key.writeUInt32BE(port.hostAddress);
  key[at] = protocolNumber[port.protocol];
  key.writeUInt16BE(port.hostPort, at + 4);
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
  for (const [map, elements] of portElements(ports)) batch.addElements(table, map, elements);

  const sets: [string, readonly string[]][] = [
    ['bridges', networks.map((network) => network.bridge)],
    ['internal', networks.filter((network) => network.internal).map((network) => network.bridge)],
    ['separated', separated],
  ];
  for (const [name, members] of sets) {
    batch.addSet(table, { name, keyTypes: [interfaceName], keyLength: nameLength });
    batch.addElements(
      table,
      name,
      members.map((member) => ({ key: interfaceBytes(member) })),
    );
  }
  batch.addSet(table, {
    name: 'neighbours',
    keyTypes: [interfaceName, interfaceName],
    keyLength: 2 * nameLength,
  });
  const open = networks.filter((network) => network.betweenContainers);
  batch.addElements(
    table,
    'neighbours',
    open.map(({ bridge }) => ({ key: Buffer.concat([interfaceBytes(bridge), interfaceBytes(bridge)]) })),
  );
}

function rules({ networks, separated }: TableContent): [string, Expression[]][] {
  const isIpv4 = [meta(metaKey.networkProtocol), compare('is', Buffer.of(family.ipv4))];
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
    ['forward', [meta(metaKey.outputName), lookup('bridges'), drop]],
    ['forward', [meta(metaKey.inputName), lookup('internal'), drop]],
  ];
  if (separated.length > 0) {
    list.push([
      'forward',
      [meta(metaKey.inputName), lookup('separated'), meta(metaKey.outputName), lookup('separated'), drop],
    ]);
  }
  const loopbackSource = [...isIpv4, payload(1, sourceOffset, 1), compare('is', Buffer.of(127))];
  list.push(['postrouting', [meta(metaKey.outputName), lookup('bridges'), ...loopbackSource, masquerade()]]);
  for (const network of networks) list.push(...sourceRules(network, isIpv4));
  return list;
}

function sourceRules(network: FilteredNetwork, isIpv4: Expression[]): [string, Expression[]][] {
  const fromSubnet = [...isIpv4, ...inNetwork(sourceOffset, network.subnet)];
  const bridge = interfaceBytes(network.bridge);
  const found: [string, Expression[]][] = [
    [
      'postrouting',
      [
        ...fromSubnet,
        meta(metaKey.outputName),
        compare('is', bridge),
        ct(ctKey.status),
        ...anyBit(ctStatus.destinationNat),
        masquerade(),
      ],
    ],
  ];
  if (network.masquerade) {
    found.push(['postrouting', [...fromSubnet, meta(metaKey.outputName), compare('is not', bridge), masquerade()]]);
  }
  return found;
}

function inNetwork(offset: number, { address, prefix }: Cidr): Expression[] {
  const bits = Buffer.alloc(4);
  bits.writeUInt32BE(netmask(prefix));
  const value = Buffer.alloc(4);
  value.writeUInt32BE((address & netmask(prefix)) >>> 0);
  return [payload(1, offset, 4), mask(bits), compare('is', value)];
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
export function interfaceBytes(name: string): Buffer {
  const bytes = Buffer.alloc(nameLength);
  bytes.write(name);
  return bytes;
}
