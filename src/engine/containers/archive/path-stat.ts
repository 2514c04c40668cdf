/** What `shim files stat` and `read` say first, as Docker's `X-Docker-Container-Path-Stat` has it. */
import { posix } from 'node:path';
import type { ContainerPathStat } from '../../../api/types/container.ts';

/** Bits of the kernel's st_mode (inode(7)) and of Go's os.FileMode (https://pkg.go.dev/io/fs#FileMode), beside the nine permissions. */
const typeMask = 0o170000;
const goTypes = new Map([
  [0o040000, 2 ** 31], // directory
  [0o120000, 2 ** 27], // symbolic link
  [0o060000, 2 ** 26], // block device
  [0o010000, 2 ** 25], // named pipe
  [0o140000, 2 ** 24], // socket
  [0o020000, 2 ** 26 + 2 ** 21], // character device
]);
const goFlags: readonly [number, number][] = [
  [0o4000, 2 ** 23],
  [0o2000, 2 ** 22],
  [0o1000, 2 ** 20],
];

/** @param mode st_mode */
export function goFileMode(mode: number): number {
  let result = (mode & 0o777) + (goTypes.get(mode & typeMask) ?? 0);
  for (const [kernel, go] of goFlags) if (mode & kernel) result += go;
  return result;
}

/** Seconds and nanoseconds since 1970 in RFC 3339, without zeros at its end, as Go prints a time. */
export function goTime(seconds: number, nanoseconds: number): string {
  const fraction = String(nanoseconds).padStart(9, '0').replace(/0+$/, '');
  const whole = new Date(seconds * 1000).toISOString().slice(0, -'.000Z'.length);
  return `${whole}${fraction === '' ? '' : `.${fraction}`}Z`;
}

/** Go's filepath.Base. */
function baseName(path: string): string {
  return posix.basename(path) || '/';
}

/**
 * Reads `MODE SIZE SECONDS NANOSECONDS LENGTH\n` and the LENGTH bytes of a link's end.
 * @returns null while bytes are missing; `length` is how many bytes it took
 */
export function parsePathStat(bytes: Buffer, path: string): { stat: ContainerPathStat; length: number } | null {
  const lineEnd = bytes.indexOf(0x0a);
  if (lineEnd < 0) return null;
  const [mode = 0, size = 0, seconds = 0, nanoseconds = 0, linkLength = 0] = bytes
    .toString('latin1', 0, lineEnd)
    .split(' ')
    .map(Number);
  const length = lineEnd + 1 + linkLength;
  if (bytes.length < length) return null;
  const stat = {
    name: baseName(path),
    size,
    mode: goFileMode(mode),
    mtime: goTime(seconds, nanoseconds),
    linkTarget: bytes.toString('utf8', lineEnd + 1, length),
  };
  return { stat, length };
}
