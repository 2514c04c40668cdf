/**
 * nf_tables by raw netlink: messages and expressions (include/uapi/linux/netfilter/nf_tables.h). A batch is one transaction.
 */
import { MessageWriter, netlinkFlag } from '../netlink/message.ts';

export const family = { unspecified: 0, inet: 1, ipv4: 2, ipv6: 10 } as const;
export const nftMessage = {
  newTable: 0,
  getTable: 1,
  deleteTable: 2,
  newChain: 3,
  getChain: 4,
  newRule: 6,
  getRule: 7,
  deleteRule: 8,
  newSet: 9,
  newSetElement: 12,
  deleteSetElement: 14,
} as const;
export const hook = { prerouting: 0, input: 1, forward: 2, output: 3, postrouting: 4 } as const;
export const priority = { raw: -300, destinationNat: -100, filter: 0, sourceNat: 100 } as const;
export const protocolNumber = { tcp: 6, udp: 17 } as const;
export const verdict = { drop: 0, accept: 1, jump: -3, return: -5 } as const;
const setFlag = { interval: 4, map: 8, concatenation: 128 } as const;
/** Data types of nft's own, kept by the kernel for listings; a concatenation is six bits each. */
export const dataType = { ipv4: 7, ipv6: 8, protocol: 12, service: 13, interfaceName: 41 } as const;
export const chainAttribute = { table: 1, handle: 2, name: 3, hook: 4, policy: 5, type: 7 } as const;
export const ruleAttribute = { table: 1, chain: 2, handle: 3, expressions: 4, position: 6, userData: 7 } as const;
export const expressionAttribute = { element: 1, name: 1, data: 2 } as const;
export const immediateAttribute = { register: 1, data: 2, verdict: 2, code: 1 } as const;

const subsystem = 10;
const batchBegin = 16;
const batchEnd = 17;
const tableAttribute = { name: 1, flags: 2 } as const;
const hookAttribute = { number: 1, priority: 2 } as const;
const setAttribute = {
  table: 1,
  name: 2,
  flags: 3,
  keyType: 4,
  keyLength: 5,
  dataType: 6,
  dataLength: 7,
  description: 9,
  id: 10,
  userData: 13,
} as const;
const setDescription = { concatenation: 2, element: 1, length: 1 } as const;
const elementListAttribute = { table: 1, set: 2, elements: 3 } as const;
const elementAttribute = { element: 1, key: 1, data: 2, value: 1, keyEnd: 10 } as const;
const commentType = 0;
/** A list of elements is one attribute and so at most 64 KiB. */
const elementsPerMessage = 500;

export function messageTypeOf(message: number): number {
  return (subsystem << 8) | message;
}

export function familyHeader(value: number, resource = 0): Buffer {
  return Buffer.of(value, 0, resource >> 8, resource & 255);
}

/** An element of a set, or of a map when it has data. */
export interface Element {
  key: Uint8Array;
  /** Last key of a range. */
  keyEnd?: Uint8Array;
  data?: Uint8Array;
}

export interface SetPlan {
  name: string;
  keyTypes: readonly number[];
  keyLength: number;
  /** Of a map. */
  dataTypes?: readonly number[];
  dataLength?: number;
  /** Elements are ranges in every field of a concatenation: the lengths of the fields. */
  intervalOf?: readonly number[];
}

/** A transaction under construction; `NetlinkSocket.run(batch.end(), …)` commits it. */
export class Batch {
  readonly #writer = new MessageWriter();
  #sets = 0;

  constructor() {
    this.#writer.begin(batchBegin, 0, familyHeader(0, subsystem));
  }

  /** Closes the batch. The last message must have asked for an acknowledgement: every one here does that can. */
  end(): MessageWriter {
    this.#writer.begin(batchEnd, 0, familyHeader(0, subsystem));
    return this.#writer;
  }

  addTable(name: string): void {
    this.#begin(nftMessage.newTable, netlinkFlag.create, family.inet);
    this.#writer.text(tableAttribute.name, name);
    this.#writer.u32be(tableAttribute.flags, 0);
  }

  deleteTable(name: string): void {
    this.#begin(nftMessage.deleteTable, 0, family.inet);
    this.#writer.text(tableAttribute.name, name);
  }

  /** @param base null: a chain that others jump to */
  addChain(table: string, name: string, base: { type: 'filter' | 'nat'; hook: number; priority: number } | null): void {
    this.#begin(nftMessage.newChain, netlinkFlag.create, family.inet);
    this.#writer.text(chainAttribute.table, table);
    this.#writer.text(chainAttribute.name, name);
    if (!base) return;
    this.#writer.nest(chainAttribute.hook, () => {
      this.#writer.u32be(hookAttribute.number, base.hook);
      this.#writer.u32be(hookAttribute.priority, base.priority);
    });
    this.#writer.u32be(chainAttribute.policy, verdict.accept);
    this.#writer.text(chainAttribute.type, base.type);
  }

  addSet(table: string, plan: SetPlan): void {
    this.#begin(nftMessage.newSet, netlinkFlag.create, family.inet);
    const writer = this.#writer;
    writer.text(setAttribute.table, table);
    writer.text(setAttribute.name, plan.name);
    const interval = plan.intervalOf ? setFlag.interval | setFlag.concatenation : 0;
    writer.u32be(setAttribute.flags, (plan.dataTypes ? setFlag.map : 0) | interval);
    writer.u32be(setAttribute.keyType, concatenation(plan.keyTypes));
    writer.u32be(setAttribute.keyLength, plan.keyLength);
    if (plan.dataTypes) {
      writer.u32be(setAttribute.dataType, concatenation(plan.dataTypes));
      writer.u32be(setAttribute.dataLength, plan.dataLength ?? 0);
    }
    if (plan.intervalOf) writeFields(writer, plan.intervalOf);
    writer.u32be(setAttribute.id, ++this.#sets);
    // Read by nft only, which needs to be told that names are in the machine's order.
    if (plan.keyTypes.length === 1) writer.attribute(setAttribute.userData, machineOrder(plan));
  }

  addElements(table: string, set: string, elements: readonly Element[]): void {
    this.#elements(nftMessage.newSetElement, netlinkFlag.create, { table, set, elements });
  }

  deleteElements(table: string, set: string, elements: readonly Element[]): void {
    this.#elements(nftMessage.deleteSetElement, 0, { table, set, elements });
  }

  /**
   * Appends a rule.
   * @param rule.before handle of the rule before which it goes
   */
  addRule(rule: {
    family?: number;
    table: string;
    chain: string;
    expressions: readonly Expression[];
    comment?: string;
    before?: bigint;
  }): void {
    const flags = netlinkFlag.create | (rule.before === undefined ? netlinkFlag.append : 0);
    this.#begin(nftMessage.newRule, flags, rule.family ?? family.inet);
    const writer = this.#writer;
    writer.text(ruleAttribute.table, rule.table);
    writer.text(ruleAttribute.chain, rule.chain);
    if (rule.before !== undefined) writer.u64be(ruleAttribute.position, rule.before);
    writer.nest(ruleAttribute.expressions, () => {
      for (const one of rule.expressions) {
        writer.nest(expressionAttribute.element, () => {
          writer.text(expressionAttribute.name, one.name);
          writer.nest(expressionAttribute.data, () => one.write(writer));
        });
      }
    });
    if (rule.comment === undefined) return;
    const text = Buffer.from(`${rule.comment}\0`);
    writer.attribute(ruleAttribute.userData, Buffer.concat([Buffer.of(commentType, text.length), text]));
  }

  deleteRule(rule: { family: number; table: string; chain: string; handle: bigint }): void {
    this.#begin(nftMessage.deleteRule, 0, rule.family);
    this.#writer.text(ruleAttribute.table, rule.table);
    this.#writer.text(ruleAttribute.chain, rule.chain);
    this.#writer.u64be(ruleAttribute.handle, rule.handle);
  }

  #begin(message: number, flags: number, of: number): void {
    this.#writer.begin(messageTypeOf(message), flags | netlinkFlag.acknowledge, familyHeader(of));
  }

  #elements(
    message: number,
    flags: number,
    { table, set, elements }: { table: string; set: string; elements: readonly Element[] },
  ): void {
    const writer = this.#writer;
    for (let start = 0; start < elements.length; start += elementsPerMessage) {
      this.#begin(message, flags, family.inet);
      writer.text(elementListAttribute.table, table);
      writer.text(elementListAttribute.set, set);
      writer.nest(elementListAttribute.elements, () => {
        for (const { key, keyEnd, data } of elements.slice(start, start + elementsPerMessage)) {
          writer.nest(elementAttribute.element, () => {
            writer.nest(elementAttribute.key, () => writer.attribute(elementAttribute.value, key));
            if (keyEnd) writer.nest(elementAttribute.keyEnd, () => writer.attribute(elementAttribute.value, keyEnd));
            if (data) writer.nest(elementAttribute.data, () => writer.attribute(elementAttribute.value, data));
          });
        }
      });
    }
  }
}

/** nft's own marks: the byte order of the key, and of a map's data, which is network order here. */
function machineOrder({ dataTypes }: SetPlan): Buffer {
  return Buffer.of(0, 4, 1, 0, 0, 0, ...(dataTypes ? [1, 4, 2, 0, 0, 0] : []));
}

function writeFields(writer: MessageWriter, lengths: readonly number[]): void {
  writer.nest(setAttribute.description, () => {
    writer.nest(setDescription.concatenation, () => {
      for (const length of lengths) {
        writer.nest(setDescription.element, () => writer.u32be(setDescription.length, length));
      }
    });
  });
}

function concatenation(types: readonly number[]): number {
  return types.reduce((value, type) => (value << 6) | type, 0);
}

/** A step of a rule; registers are numbered as the kernel does: 1 to 4 hold 16 bytes, 8 to 23 hold 4 bytes of the same store. */
export interface Expression {
  name: string;
  write(writer: MessageWriter): void;
}

export const metaKey = { inputName: 6, outputName: 7, networkProtocol: 15, transportProtocol: 16 } as const;
export const ctKey = { state: 0, status: 2 } as const;

function numbers(name: string, values: readonly (readonly [number, number])[]): Expression {
  return { name, write: (writer) => values.forEach(([type, value]) => void writer.u32be(type, value)) };
}

export function meta(key: number, register = 1): Expression {
  return numbers('meta', [
    [2, key],
    [1, register],
  ]);
}

export function ct(key: number): Expression {
  return numbers('ct', [
    [2, key],
    [1, 1],
  ]);
}

/** Bytes of the packet. @param base 1 network header, 2 transport header */
export function payload(base: 1 | 2, offset: number, length: number, register = 1): Expression {
  return numbers('payload', [
    [1, register],
    [2, base],
    [3, offset],
    [4, length],
  ]);
}

/** Goes on where register 1 is (not) the value. */
export function compare(operation: 'is' | 'is not', value: Uint8Array): Expression {
  return {
    name: 'cmp',
    write(writer) {
      writer.u32be(1, 1);
      writer.u32be(2, operation === 'is' ? 0 : 1);
      writer.nest(3, () => writer.attribute(1, value));
    },
  };
}

/** Goes on for IPv4. */
export const isIpv4: readonly Expression[] = [meta(metaKey.networkProtocol), compare('is', Buffer.of(family.ipv4))];
/** Goes on for IPv6. */
export const isIpv6: readonly Expression[] = [meta(metaKey.networkProtocol), compare('is', Buffer.of(family.ipv6))];

/** Puts bytes into a register. */
export function load(value: Uint8Array, register: number): Expression {
  return {
    name: 'immediate',
    write(writer) {
      writer.u32be(immediateAttribute.register, register);
      writer.nest(immediateAttribute.data, () => writer.attribute(1, value));
    },
  };
}

/** Register 1 and a mask. */
export function mask(value: Uint8Array): Expression {
  return {
    name: 'bitwise',
    write(writer) {
      writer.u32be(1, 1);
      writer.u32be(2, 1);
      writer.u32be(3, value.length);
      writer.nest(4, () => writer.attribute(1, value));
      writer.nest(5, () => writer.attribute(1, Buffer.alloc(value.length)));
    },
  };
}

/** Goes on where the set has (`without`: has not) what begins at register 1. A map puts its data there. */
export function lookup(set: string, kind: 'set' | 'map' | 'without' = 'set'): Expression {
  return {
    name: 'lookup',
    write(writer) {
      writer.text(1, set);
      writer.u32be(2, 1);
      if (kind === 'map') writer.u32be(3, 1);
      if (kind === 'without') writer.u32be(5, 1);
    },
  };
}

/** Whether the packet's destination is an address of this host: leaves the type of address in register 1. */
export function destinationType(): Expression {
  return numbers('fib', [
    [1, 1],
    [2, 3],
    [3, 2],
  ]);
}

/** Sends on to the address in register 1 and the port behind it, or to the port that was asked for. */
export function destinationNat(kind: 'sets port' | 'keeps port' = 'sets port', version: 4 | 6 = 4): Expression {
  const port: [number, number][] = kind === 'sets port' ? [[5, version === 4 ? 9 : 12]] : [];
  return numbers('nat', [[1, 1], [2, familyOf(version)], [3, 1], ...port]);
}

/** Leaves with the address in register 1. */
export function sourceNat(version: 4 | 6): Expression {
  return numbers('nat', [
    [1, 0],
    [2, familyOf(version)],
    [3, 1],
  ]);
}

function familyOf(version: 4 | 6): number {
  return version === 4 ? family.ipv4 : family.ipv6;
}

export function masquerade(): Expression {
  return { name: 'masq', write: () => undefined };
}

export function counter(): Expression {
  return {
    name: 'counter',
    write(writer) {
      writer.u64be(1, 0n);
      writer.u64be(2, 0n);
    },
  };
}

export function decide(code: number, chain?: string): Expression {
  return {
    name: 'immediate',
    write(writer) {
      writer.u32be(immediateAttribute.register, 0);
      writer.nest(immediateAttribute.data, () => {
        writer.nest(immediateAttribute.verdict, () => {
          writer.u32be(immediateAttribute.code, code);
          if (chain !== undefined) writer.text(2, chain);
        });
      });
    },
  };
}
