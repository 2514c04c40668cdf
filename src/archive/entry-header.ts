/** Headers of tar members of every kind (POSIX.1-2024 pax): long names, large numbers and parts of seconds stand in an extended header. */

const block = 512;

export interface TarEntry {
  type: 'file' | 'directory' | 'symlink' | 'link' | 'character' | 'block' | 'pipe';
  /** Bytes as latin1. */
  path: string;
  /** Target of a symbolic or hard link, bytes as latin1. */
  link: string;
  mode: number;
  uid: number;
  gid: number;
  /** Bytes that follow, of a file. */
  size: number;
  /** Nanoseconds since 1970. */
  mtime: bigint;
  /** As stat(2) packs it. */
  device: number;
  /** File capabilities, as the kernel keeps them. */
  capability?: Buffer | null;
}

const types: Record<TarEntry['type'], string> = {
  file: '0',
  link: '1',
  symlink: '2',
  character: '3',
  block: '4',
  directory: '5',
  pipe: '6',
};

/** The header, or an extended one and the header. A file's bytes and padding to 512 follow. */
export function entryHeader(entry: TarEntry): Buffer {
  const records: string[] = [];
  const path = entry.type === 'directory' && !entry.path.endsWith('/') ? `${entry.path}/` : entry.path;
  if (path.length > 100) records.push(record('path', path));
  if (entry.link.length > 100) records.push(record('linkpath', entry.link));
  if (entry.size >= 8 ** 11) records.push(record('size', String(entry.size)));
  if (entry.uid >= 8 ** 7) records.push(record('uid', String(entry.uid)));
  if (entry.gid >= 8 ** 7) records.push(record('gid', String(entry.gid)));
  if (entry.mtime % 1_000_000_000n !== 0n || entry.mtime < 0n) records.push(record('mtime', seconds(entry.mtime)));
  if (entry.capability) records.push(record('SCHILY.xattr.security.capability', entry.capability.toString('latin1')));
  if (records.length === 0) {
    const only = Buffer.alloc(block);
    writeHeader(only, entry, path, types[entry.type]);
    return only;
  }
  const text = records.join('');
  const ownAt = block + Math.ceil(text.length / block) * block;
  const both = Buffer.alloc(ownAt + block);
  writeHeader(both, { ...extended, size: text.length }, extended.path, 'x');
  both.write(text, block, 'latin1');
  writeHeader(both.subarray(ownAt), entry, path, types[entry.type]);
  return both;
}

/** The header before the records of an extended one. */
const extended: TarEntry = {
  type: 'file',
  path: 'PaxHeaders/entry',
  link: '',
  mode: 0o644,
  uid: 0,
  gid: 0,
  size: 0,
  mtime: 0n,
  device: 0,
};

/** `LENGTH KEY=VALUE\n`, where LENGTH counts its own digits too. */
function record(key: string, value: string): string {
  const rest = key.length + value.length + 3;
  let length = rest + String(rest).length;
  if (String(length).length > String(rest).length) length = rest + String(length).length;
  return `${length} ${key}=${value}\n`;
}

function seconds(nanoseconds: bigint): string {
  const negative = nanoseconds < 0n;
  const absolute = negative ? -nanoseconds : nanoseconds;
  const fraction = String(absolute % 1_000_000_000n)
    .padStart(9, '0')
    .replace(/0+$/, '');
  return `${negative ? '-' : ''}${absolute / 1_000_000_000n}${fraction === '' ? '' : `.${fraction}`}`;
}

/** Fills the first block, which is zero. Trees have many members: nothing is made that is thrown away at once. */
function writeHeader(header: Buffer, entry: TarEntry, path: string, type: string): void {
  writeName(header, path, 0);
  writeOctal(header, entry.mode, 100, 8);
  writeOctal(header, entry.uid, 108, 8);
  writeOctal(header, entry.gid, 116, 8);
  writeOctal(header, entry.size, 124, 12);
  writeOctal(header, Math.max(0, Number(entry.mtime / 1_000_000_000n)), 136, 12);
  header[156] = type.charCodeAt(0);
  writeName(header, entry.link, 157);
  writeName(header, 'ustar\x0000', 257);
  // makedev(3): the minor number's low byte, the major's twelve bits, then the rest of the minor.
  writeOctal(header, (entry.device >>> 8) & 0xfff, 329, 8);
  writeOctal(header, (entry.device & 0xff) | ((entry.device >>> 12) & 0xfff00), 337, 8);
  // The checksum counts its own eight bytes as spaces.
  let sum = 8 * 0x20;
  for (let at = 0; at < block; at++) sum += header[at] as number;
  writeOctal(header, sum, 148, 7);
  header[155] = 0x20;
}

/** As many characters as the longest field has. */
function writeName(header: Buffer, name: string, offset: number): void {
  const length = Math.min(name.length, 100);
  for (let index = 0; index < length; index++) header[offset + index] = name.charCodeAt(index);
}

/** Zero where there are more digits than the field holds: an extended header has the number then. The last byte stays zero. */
function writeOctal(header: Buffer, value: number, offset: number, length: number): void {
  let rest = value < 8 ** (length - 1) ? value : 0;
  for (let at = offset + length - 2; at >= offset; at--) {
    header[at] = 0x30 + (rest % 8);
    rest = Math.floor(rest / 8);
  }
}
