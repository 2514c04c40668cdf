/** The little of DNS messages (RFC 1035, RFC 6891) that the names of containers need. What is forwarded is passed on byte for byte. */
import { formatIp, ipv6Bytes } from '../../../host/netlink/ip-network.ts';

export const recordType = { A: 1, PTR: 12, MX: 15, AAAA: 28 } as const;
export const responseCode = { none: 0, format: 1, serverFailure: 2, notImplemented: 4, refused: 5 } as const;

/** What a client asks. */
export interface Question {
  /** Labels joined by dots, as they were written; empty: the root. */
  name: string;
  type: number;
  /** 1: Internet. */
  class: number;
  /** Where the message goes on behind the question. */
  end: number;
  /** Bytes that the client takes in one datagram. */
  limit: number;
}

/** An answer's data: an address, or the name that an address has. */
export type AnswerRecord =
  | { type: typeof recordType.A | typeof recordType.AAAA; address: string }
  | { type: typeof recordType.PTR; name: string };

export interface Answer {
  code: number;
  records: readonly AnswerRecord[];
}

const headerLength = 12;
const flag = { response: 0x8000, truncated: 0x0200, recursionDesired: 0x0100, recursionAvailable: 0x0080 } as const;
const opcodeMask = 0x7800;
const internet = 1;
const optionsType = 41;
const smallestLimit = 512;
const longestName = 255;
/** Seconds that a name may be remembered, as dockerd says. */
const timeToLive = 600;

/** Whether this is a query that can be answered at all, if only by an error. */
export function isQuery(message: Buffer): boolean {
  return message.length >= headerLength && (message.readUInt16BE(2) & flag.response) === 0;
}

/** The only question of a standard query; null for everything else. */
export function readQuestion(message: Buffer): Question | null {
  if ((message.readUInt16BE(2) & opcodeMask) !== 0 || message.readUInt16BE(4) !== 1) return null;
  const labels: string[] = [];
  let at = headerLength;
  for (;;) {
    const length = message[at];
    if (length === undefined || length > 63 || at + length - headerLength > longestName) return null;
    at++;
    if (length === 0) break;
    labels.push(message.toString('latin1', at, at + length));
    at += length;
  }
  if (at + 4 > message.length) return null;
  const end = at + 4;
  return {
    name: labels.join('.'),
    type: message.readUInt16BE(at),
    class: message.readUInt16BE(at + 2),
    end,
    limit: readLimit(message, end),
  };
}

/** The size that an OPT record directly behind the question names. */
function readLimit(message: Buffer, at: number): number {
  const isAlone = message.readUInt16BE(6) === 0 && message.readUInt16BE(8) === 0 && message.readUInt16BE(10) > 0;
  if (!isAlone || at + 5 > message.length || message[at] !== 0 || message.readUInt16BE(at + 1) !== optionsType)
    return smallestLimit;
  return Math.max(smallestLimit, message.readUInt16BE(at + 3));
}

/**
 * The reply to a query.
 * @param question null: the query could not be read, and is not repeated
 * @param limit bytes that the reply may have; records that do not fit are left out and the client is told to ask over TCP
 */
export function writeAnswer(query: Buffer, question: Question | null, answer: Answer, limit: number): Buffer {
  const head = question?.end ?? headerLength;
  const parts: Buffer[] = [];
  let length = head;
  for (const record of answer.records) {
    const bytes = writeRecord(record);
    if (length + bytes.length > limit) break;
    parts.push(bytes);
    length += bytes.length;
  }
  const reply = Buffer.alloc(length);
  query.copy(reply, 0, 0, head);
  const truncated = parts.length < answer.records.length ? flag.truncated : 0;
  const kept = query.readUInt16BE(2) & (opcodeMask | flag.recursionDesired);
  reply.writeUInt16BE(flag.response | kept | flag.recursionAvailable | truncated | answer.code, 2);
  reply.writeUInt16BE(question ? 1 : 0, 4);
  reply.writeUInt16BE(parts.length, 6);
  reply.writeUInt32BE(0, 8);
  let at = head;
  for (const part of parts) at += part.copy(reply, at);
  return reply;
}

function writeRecord(record: AnswerRecord): Buffer {
  const data = record.type === recordType.PTR ? writeName(record.name) : writeAddress(record.address);
  const bytes = Buffer.alloc(12 + data.length);
  // The name is that of the question.
  bytes.writeUInt16BE(0xc000 | headerLength, 0);
  bytes.writeUInt16BE(record.type, 2);
  bytes.writeUInt16BE(internet, 4);
  bytes.writeUInt32BE(timeToLive, 6);
  bytes.writeUInt16BE(data.length, 10);
  data.copy(bytes, 12);
  return bytes;
}

function writeAddress(text: string): Buffer {
  return Buffer.from(ipv6Bytes(text) ?? text.split('.').map(Number));
}

function writeName(name: string): Buffer {
  const labels = name.split('.').filter((label) => label !== '' && label.length <= 63);
  return Buffer.concat([
    ...labels.map((label) => Buffer.from(`${String.fromCharCode(label.length)}${label}`, 'latin1')),
    Buffer.of(0),
  ]);
}

/** Whether a reply of another server belongs to the query. */
export function answersQuery(reply: Buffer, query: Buffer): boolean {
  return (
    reply.length >= headerLength &&
    reply.readUInt16BE(0) === query.readUInt16BE(0) &&
    (reply.readUInt16BE(2) & flag.response) !== 0
  );
}

export function codeOf(reply: Buffer): number {
  return reply.readUInt16BE(2) & 15;
}

/**
 * The address in the name of a reverse look-up (`2.0.18.172.in-addr.arpa`, `2.0.…0.d.f.ip6.arpa`), in its canonical form; null: there is
 * none in it.
 */
export function reversedAddress(name: string): string | null {
  const v4 = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.in-addr\.arpa$/i.exec(name);
  if (v4) return v4.slice(1).reverse().join('.');
  const v6 = /^((?:[0-9a-f]\.){32})ip6\.arpa$/i.exec(name)?.[1];
  const digits = v6?.split('.').reverse().join('');
  return digits === undefined ? null : formatIp({ version: 6, address: BigInt(`0x${digits}`) });
}
