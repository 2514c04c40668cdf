/** Makes tar archives, the honest and the hostile kind: nothing is checked on purpose. POSIX ustar. */

export interface TarEntry {
  name: string;
  /** A ustar type flag: `0` file, `1` hard link, `2` symbolic link, `3` and `4` devices, `5` directory, `x` pax header, … */
  type?: string;
  content?: string | Uint8Array;
  linkName?: string;
  mode?: number;
  uid?: number;
  gid?: number;
  /** Unix seconds. */
  mtime?: number;
  /** What the header says, where it shall differ from the content. */
  size?: number;
  major?: number;
  minor?: number;
}

const block = 512;

/** @param options.end false leaves out the two zero blocks, as in a truncated archive */
export function tar(entries: readonly TarEntry[], options: { end?: boolean } = {}): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  for (const entry of entries) {
    const content = typeof entry.content === 'string' ? new TextEncoder().encode(entry.content) : entry.content;
    parts.push(header(entry, content?.length ?? 0));
    if (content) parts.push(content, new Uint8Array((block - (content.length % block)) % block));
  }
  if (options.end !== false) parts.push(new Uint8Array(2 * block));
  return concat(parts);
}

/** The pax header that gives the following entry these attributes, for example `SCHILY.xattr.user.x`. */
export function paxHeader(attributes: Record<string, string>): TarEntry {
  const lines = Object.entries(attributes).map(([key, value]) => {
    const rest = Buffer.byteLength(` ${key}=${value}\n`);
    let length = rest + String(rest).length;
    if (rest + String(length).length !== length) length = rest + String(length).length;
    return `${length} ${key}=${value}\n`;
  });
  return { name: 'PaxHeaders/entry', type: 'x', content: lines.join('') };
}

function header(entry: TarEntry, length: number): Uint8Array {
  const bytes = Buffer.alloc(block);
  let name = entry.name;
  if (Buffer.byteLength(name) > 100) {
    const cut = name.lastIndexOf('/', 154);
    bytes.write(name.slice(0, cut), 345, 155);
    name = name.slice(cut + 1);
  }
  const type = entry.type ?? '0';
  bytes.write(name, 0, 100);
  octal(bytes, 100, 8, entry.mode ?? (type === '5' ? 0o755 : 0o644));
  octal(bytes, 108, 8, entry.uid ?? 0);
  octal(bytes, 116, 8, entry.gid ?? 0);
  octal(bytes, 124, 12, entry.size ?? length);
  octal(bytes, 136, 12, entry.mtime ?? 1_700_000_000);
  bytes.write('        ', 148, 8);
  bytes.write(type, 156, 1);
  bytes.write(entry.linkName ?? '', 157, 100);
  bytes.write('ustar\x0000', 257, 8, 'latin1');
  octal(bytes, 329, 8, entry.major ?? 0);
  octal(bytes, 337, 8, entry.minor ?? 0);
  let sum = 0;
  for (const byte of bytes) sum += byte;
  bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 8, 'latin1');
  return bytes;
}

function octal(bytes: Buffer, offset: number, length: number, value: number): void {
  bytes.write(value.toString(8).padStart(length - 1, '0'), offset, length - 1);
}

function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let position = 0;
  for (const part of parts) {
    all.set(part, position);
    position += part.length;
  }
  return all;
}
