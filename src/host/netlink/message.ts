/**
 * Netlink messages as bytes: header, family header, attributes; little endian but for what families say is network order
 * (netlink(7); numbers of rtnetlink and nfnetlink come from the kernel's uapi headers).
 */

export const netlinkFlag = {
  request: 0x1,
  acknowledge: 0x4,
  dump: 0x300,
  replace: 0x100,
  exclusive: 0x200,
  create: 0x400,
  append: 0x800,
} as const;

export const messageType = { noop: 1, error: 2, done: 3 } as const;

const headerLength = 16;
const nestedFlag = 0x8000;
const typeMask = 0x3fff;

/** Builds one or several messages in a buffer that grows. */
export class MessageWriter {
  #buffer = Buffer.alloc(4096);
  #length = 0;
  #message = -1;
  #sequence = 0;

  /** The messages so far. Valid until the next change. */
  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  get length(): number {
    return this.#length;
  }

  /** Sequence number of the message begun last; the first one has 1. */
  get sequence(): number {
    return this.#sequence;
  }

  /** Begins a message with the family's own header. */
  begin(type: number, flags: number, familyHeader: Uint8Array): void {
    this.#message = this.#length;
    this.#sequence++;
    const at = this.#reserve(headerLength);
    this.#buffer.writeUInt16LE(type, at + 4);
    this.#buffer.writeUInt16LE(flags | netlinkFlag.request, at + 6);
    this.#buffer.writeUInt32LE(this.#sequence, at + 8);
    this.bytesRaw(familyHeader);
  }

  /** Bytes without an attribute header, padded to four. */
  bytesRaw(data: Uint8Array): void {
    const at = this.#reserve(data.length);
    this.#buffer.set(data, at);
    this.#close();
  }

  attribute(type: number, data: Uint8Array): void {
    const at = this.#reserve(4 + data.length);
    this.#buffer.writeUInt16LE(4 + data.length, at);
    this.#buffer.writeUInt16LE(type, at + 2);
    this.#buffer.set(data, at + 4);
    this.#close();
  }

  /** Text with its final zero. */
  text(type: number, value: string): void {
    this.attribute(type, Buffer.from(`${value}\0`));
  }

  u8(type: number, value: number): void {
    this.attribute(type, Buffer.of(value));
  }

  u16(type: number, value: number): void {
    const data = Buffer.alloc(2);
    data.writeUInt16LE(value);
    this.attribute(type, data);
  }

  u32(type: number, value: number): void {
    const data = Buffer.alloc(4);
    data.writeUInt32LE(value >>> 0);
    this.attribute(type, data);
  }

  /** Network order, as all numbers of nf_tables are; negative numbers as two's complement. */
  u32be(type: number, value: number): void {
    const data = Buffer.alloc(4);
    data.writeUInt32BE(value >>> 0);
    this.attribute(type, data);
  }

  u64be(type: number, value: bigint): void {
    const data = Buffer.alloc(8);
    data.writeBigUInt64BE(value);
    this.attribute(type, data);
  }

  /** An attribute that holds the attributes written by `content`. */
  nest(type: number, content: () => void): void {
    const at = this.#reserve(4);
    this.#buffer.writeUInt16LE(type | nestedFlag, at + 2);
    content();
    this.#buffer.writeUInt16LE(this.#length - at, at);
    this.#close();
  }

  #reserve(length: number): number {
    const at = this.#length;
    const end = at + ((length + 3) & ~3);
    if (end > this.#buffer.length) {
      const larger = Buffer.alloc(Math.max(end, this.#buffer.length * 2));
      this.#buffer.copy(larger, 0, 0, at);
      this.#buffer = larger;
    }
    this.#length = end;
    return at;
  }

  #close(): void {
    this.#buffer.writeUInt32LE(this.#length - this.#message, this.#message);
  }
}

/** A received message. */
export interface Message {
  type: number;
  flags: number;
  sequence: number;
  /** Family header and attributes. */
  payload: Buffer;
}

/** Splits a datagram into its messages. */
export function readMessages(datagram: Buffer): Message[] {
  const messages: Message[] = [];
  for (let at = 0; at + headerLength <= datagram.length; ) {
    const length = datagram.readUInt32LE(at);
    if (length < headerLength || at + length > datagram.length) break;
    messages.push({
      type: datagram.readUInt16LE(at + 4),
      flags: datagram.readUInt16LE(at + 6),
      sequence: datagram.readUInt32LE(at + 8),
      payload: datagram.subarray(at + headerLength, at + length),
    });
    at += (length + 3) & ~3;
  }
  return messages;
}

/** Attributes by type; of a repeated type the last one. */
export function readAttributes(data: Buffer): Map<number, Buffer> {
  return new Map(readAttributeList(data));
}

/** Attributes in their order, for lists whose elements all have the same type. */
export function readAttributeList(data: Buffer): [number, Buffer][] {
  const attributes: [number, Buffer][] = [];
  for (let at = 0; at + 4 <= data.length; ) {
    const length = data.readUInt16LE(at);
    if (length < 4 || at + length > data.length) break;
    attributes.push([data.readUInt16LE(at + 2) & typeMask, data.subarray(at + 4, at + length)]);
    at += (length + 3) & ~3;
  }
  return attributes;
}

/** Text up to its final zero. */
export function readText(data: Buffer | undefined): string {
  if (!data) return '';
  const end = data.indexOf(0);
  return data.toString('utf8', 0, end < 0 ? data.length : end);
}
