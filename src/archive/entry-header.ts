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
  const own = oneHeader({ ...entry, path }, types[entry.type]);
  if (entry.capability) records.push(record('SCHILY.xattr.security.capability', entry.capability.toString('latin1')));
  if (records.length === 0) return own;
  const text = Buffer.from(records.join(''), 'latin1');
  const extended = oneHeader(
    {
      ...entry,
      path: 'PaxHeaders/entry',
      link: '',
      mode: 0o644,
      uid: 0,
      gid: 0,
      size: text.length,
      mtime: 0n,
      device: 0,
    },
    'x',
  );
  return Buffer.concat([extended, text, Buffer.alloc((block - (text.length % block)) % block), own]);
}

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

function oneHeader(entry: Omit<TarEntry, 'type'>, type: string): Buffer {
  const header = Buffer.alloc(block);
  const octal = (value: number, offset: number, length: number): void => {
    const digits = value.toString(8);
    header.write((digits.length < length ? digits : '0').padStart(length - 1, '0'), offset, 'latin1');
  };
  header.write(entry.path.slice(0, 100), 0, 'latin1');
  octal(entry.mode, 100, 8);
  octal(entry.uid, 108, 8);
  octal(entry.gid, 116, 8);
  octal(entry.size, 124, 12);
  octal(Math.max(0, Number(entry.mtime / 1_000_000_000n)), 136, 12);
  header.write(type, 156, 'latin1');
  header.write(entry.link.slice(0, 100), 157, 'latin1');
  header.write('ustar\x0000', 257, 'latin1');
  // makedev(3): the minor number's low byte, the major's twelve bits, then the rest of the minor.
  octal((entry.device >>> 8) & 0xfff, 329, 8);
  octal((entry.device & 0xff) | ((entry.device >>> 12) & 0xfff00), 337, 8);
  header.fill(' ', 148, 156);
  let sum = 0;
  for (const byte of header) sum += byte;
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return header;
}
