/**
 * A tar of the outer kind, whose members are documents and layers: names are text and few. (Trees are the native helper's work.)
 * Reads ustar, GNU long names and PAX path, linkpath and size; writes ustar.
 */
import { BerthError } from '../api/errors.ts';

const block = 512;
/** Longest name or set of PAX records. */
const metaLimit = 1024 * 1024;

export interface TarMember {
  type: 'file' | 'directory' | 'symlink' | 'link' | 'other';
  /** As in the archive, without leading `./` and trailing slash. */
  path: string;
  link: string;
  size: number;
}

/** Reads a stream piece by piece, exact counts of bytes. */
export class ByteReader {
  readonly #source: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Buffer>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** The next bytes, at most `most`; empty at the end. */
  async some(most: number): Promise<Buffer> {
    while (this.#rest.length === 0) {
      const next = await this.#source.next();
      if (next.done) return this.#rest;
      this.#rest = next.value;
    }
    const part = this.#rest.subarray(0, most);
    this.#rest = this.#rest.subarray(part.length);
    return part;
  }

  /** Exactly `length` bytes, or fewer at the end of the stream. */
  async upTo(length: number): Promise<Buffer> {
    const first = await this.some(length);
    if (first.length === length) return first;
    // The source may use its buffers again.
    const parts = [Buffer.from(first)];
    let have = first.length;
    while (have < length) {
      const part = await this.some(length - have);
      if (part.length === 0) break;
      parts.push(Buffer.from(part));
      have += part.length;
    }
    return Buffer.concat(parts);
  }

  async exactly(length: number): Promise<Buffer> {
    const bytes = await this.upTo(length);
    if (bytes.length < length) throw new BerthError('invalid', 'unexpected EOF');
    return bytes;
  }

  async skip(length: number): Promise<void> {
    for (let left = length; left > 0; ) {
      const part = await this.some(left);
      if (part.length === 0) throw new BerthError('invalid', 'unexpected EOF');
      left -= part.length;
    }
  }
}

function invalid(why: string): BerthError {
  return new BerthError('invalid', `archive/tar: ${why}`);
}

function number(header: Buffer, offset: number, length: number): number {
  const first = header[offset] as number;
  if (first & 0x80) {
    let value = BigInt(first & 0x3f);
    if (first & 0x40) throw invalid('invalid tar header');
    for (let index = 1; index < length; index++) value = (value << 8n) | BigInt(header[offset + index] as number);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw invalid('invalid tar header');
    return Number(value);
  }
  const text = header
    .toString('latin1', offset, offset + length)
    .replace(/\0.*$/s, '')
    .trim();
  if (!/^[0-7]*$/.test(text)) throw invalid('invalid tar header');
  return text === '' ? 0 : Number.parseInt(text, 8);
}

function string(header: Buffer, offset: number, length: number): string {
  const field = header.subarray(offset, offset + length);
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end < 0 ? length : end);
}

/** True for a block that can begin a tar: a header whose sum is right, or the zero block of an empty archive. */
export function looksLikeTar(header: Buffer): boolean {
  if (header.length < block) return false;
  if (header.every((byte) => byte === 0)) return true;
  return sumFits(header);
}

function sumFits(header: Buffer): boolean {
  const text = header.toString('latin1', 148, 156).replace(/\0.*$/s, '').trim();
  if (!/^[0-7]+$/.test(text)) return false;
  let sum = 8 * 32;
  for (let index = 0; index < block; index++) if (index < 148 || index >= 156) sum += header[index] as number;
  return sum === Number.parseInt(text, 8);
}

const padding = (size: number): number => (block - (size % block)) % block;

function paxRecords(bytes: Buffer): Map<string, string> {
  const records = new Map<string, string>();
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(0x20, at);
    const length = space < 0 ? Number.NaN : Number(bytes.toString('latin1', at, space));
    if (!Number.isInteger(length) || length <= space - at + 1 || at + length > bytes.length)
      throw invalid('invalid tar header');
    const record = bytes.toString('utf8', space + 1, at + length - 1);
    const equals = record.indexOf('=');
    if (equals <= 0) throw invalid('invalid tar header');
    records.set(record.slice(0, equals), record.slice(equals + 1));
    at += length;
  }
  return records;
}

/**
 * Walks over the members. `onMember` may read up to `member.size` bytes through the reader it gets and says how many it read;
 * the rest is skipped. Error: `invalid` in the words of Go's archive/tar.
 */
export async function readTar(
  reader: ByteReader,
  onMember: (member: TarMember, reader: ByteReader) => Promise<number>,
): Promise<void> {
  let names: { path?: string; link?: string } = {};
  let pax = new Map<string, string>();
  for (;;) {
    const header = await reader.upTo(block);
    if (header.length === 0) return;
    if (header.length < block) throw new BerthError('invalid', 'unexpected EOF');
    if (header.every((byte) => byte === 0)) {
      while ((await reader.some(block * 128)).length > 0);
      return;
    }
    if (!sumFits(header)) throw invalid('invalid tar header');
    const type = String.fromCharCode(header[156] as number);
    const own = number(header, 124, 12);
    if ('xgLK'.includes(type)) {
      if (own > metaLimit) throw invalid('header field too long');
      const bytes = (await reader.exactly(own + padding(own))).subarray(0, own);
      if (type === 'x') pax = paxRecords(bytes);
      else if (type !== 'g') names[type === 'L' ? 'path' : 'link'] = bytes.toString('utf8').replace(/\0.*$/s, '');
      continue;
    }
    const member = toMember(header, type, { own, names, pax });
    names = {};
    pax = new Map();
    const read = await onMember(member, reader);
    await reader.skip(member.size - read + padding(member.size));
  }
}

const memberTypes: Record<string, TarMember['type']> = {
  '\0': 'file',
  '0': 'file',
  '7': 'file',
  '1': 'link',
  '2': 'symlink',
  '5': 'directory',
};

function toMember(
  header: Buffer,
  type: string,
  meta: { own: number; names: { path?: string; link?: string }; pax: Map<string, string> },
): TarMember {
  const isUstar = header.toString('latin1', 257, 263) === 'ustar\0';
  const prefix = isUstar ? string(header, 345, 155) : '';
  const plain = string(header, 0, 100);
  const path = meta.names.path ?? meta.pax.get('path') ?? (prefix ? `${prefix}/${plain}` : plain);
  const kind = memberTypes[type] ?? 'other';
  const paxSize = meta.pax.get('size');
  const size = paxSize === undefined ? meta.own : Number(paxSize);
  if (!Number.isSafeInteger(size) || size < 0) throw invalid('invalid tar header');
  return {
    type: kind === 'file' && path.endsWith('/') ? 'directory' : kind,
    path: path.replace(/^(?:\.?\/)+/, '').replace(/\/+$/, ''),
    link: meta.names.link ?? meta.pax.get('linkpath') ?? string(header, 157, 100),
    size: kind === 'file' ? size : 0,
  };
}

export interface MemberToWrite {
  path: string;
  type: 'file' | 'directory';
  size: number;
  /** Unix seconds. */
  mtime: number;
}

/** The header of a member; a file's bytes and `tarPadding` follow. Paths have at most 100 bytes here. */
export function tarHeader(member: MemberToWrite): Buffer {
  const header = Buffer.alloc(block);
  const octal = (value: number, offset: number, length: number) =>
    header.write(value.toString(8).padStart(length - 1, '0'), offset, 'latin1');
  header.write(member.path, 0, 100, 'utf8');
  octal(member.type === 'directory' ? 0o755 : 0o644, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  if (member.size < 8 ** 11) octal(member.size, 124, 12);
  else {
    header.writeBigUInt64BE(BigInt(member.size), 128);
    header[124] = 0x80;
  }
  octal(Math.max(0, member.mtime), 136, 12);
  header.write(`${member.type === 'directory' ? '5' : '0'}`, 156);
  header.write('ustar\x0000', 257, 'latin1');
  header.fill(' ', 148, 156);
  let sum = 0;
  for (const byte of header) sum += byte;
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return header;
}

/** Zero bytes behind a member's payload. */
export function tarPadding(size: number): Buffer {
  return Buffer.alloc(padding(size));
}

/** The two zero blocks at the end. */
export function tarEnd(): Buffer {
  return Buffer.alloc(2 * block);
}
