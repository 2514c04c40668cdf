/** Compression by content: gzip, zstd inside this program; bzip2 and xz where the host has the program. */
import { spawn } from 'node:child_process';
import { Duplex } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { BerthError } from '../api/errors.ts';
import { ZstdFrames } from './zstd-frames.ts';

export type PackedAs = 'none' | 'gzip' | 'zstd' | 'bzip2' | 'xz';

/** Bytes that decide. */
export const magicLength = 6;

const magics: [PackedAs, number[]][] = [
  ['gzip', [0x1f, 0x8b]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
  ['bzip2', [0x42, 0x5a, 0x68]],
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
];

/** How a stream that begins like this is packed. Zstandard's skippable frames count as zstd. */
export function packedAs(start: Uint8Array): PackedAs {
  for (const [name, magic] of magics) if (magic.every((byte, index) => start[index] === byte)) return name;
  const isSkippable = ((start[0] ?? 0) & 0xf0) === 0x50 && start[1] === 0x2a && start[2] === 0x4d && start[3] === 0x18;
  return isSkippable ? 'zstd' : 'none';
}

/** A stream that takes packed bytes and gives plain ones. Error: `invalid` where the host lacks the program. */
export function decompressor(packing: Exclude<PackedAs, 'none'>): Duplex {
  switch (packing) {
    case 'gzip':
      return createGunzip({ chunkSize: 256 * 1024 });
    case 'zstd':
      return checkedZstd();
    default:
      return program(packing);
  }
}

/** A decompressor that fails where the packed stream breaks off. */
function checkedZstd(): Duplex {
  const frames = new ZstdFrames();
  const inner = createZstdDecompress({ chunkSize: 256 * 1024 });
  const stream = new Duplex({
    write: (chunk: Buffer, _encoding, done) => {
      frames.push(chunk);
      inner.write(chunk, () => done());
    },
    final: (done) => void inner.end(done),
    read: () => void inner.resume(),
    destroy: (error, done) => {
      inner.destroy();
      done(error);
    },
  });
  inner.on('data', (chunk: Buffer) => {
    if (!stream.push(chunk)) inner.pause();
  });
  inner.on('error', (error) => stream.destroy(error));
  inner.on('end', () => {
    if (frames.isComplete) stream.push(null);
    else stream.destroy(new Error('unexpected end of file'));
  });
  return stream;
}

function program(name: string): Duplex {
  const child = spawn(name, ['-d', '-c'], { stdio: ['pipe', 'pipe', 'ignore'] });
  const stream = new Duplex({
    write: (chunk: Buffer, _encoding, done) => void child.stdin.write(chunk, () => done()),
    final: (done) => void child.stdin.end(done),
    read: () => void child.stdout.resume(),
    destroy: (error, done) => {
      child.kill('SIGKILL');
      done(error);
    },
  });
  child.stdin.on('error', () => undefined); // EPIPE: its exit says why
  child.stdout.on('data', (chunk: Buffer) => {
    if (!stream.push(chunk)) child.stdout.pause();
  });
  child.on('error', (cause) => {
    const why = `the archive is packed with ${name}, and there is no such program here`;
    stream.destroy(new BerthError('invalid', why, { cause }));
  });
  child.on('close', (code) => {
    if (code === 0) stream.push(null);
    else stream.destroy(new BerthError('invalid', `the archive is no valid ${name} stream`));
  });
  return stream;
}
