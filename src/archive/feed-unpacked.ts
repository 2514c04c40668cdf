import type { Readable, Writable } from 'node:stream';
import { decompressor, magicLength, packedAs } from './compression.ts';

/** A child that takes an archive. */
export interface ArchiveReader {
  input: Writable;
  kill(): void;
}

/** Gives an upload to the child, unpacked where it is packed. A client that leaves ends the child. */
export function feedUnpacked(content: Readable, process: ArchiveReader): void {
  const cancel = (): void => process.kill();
  content.on('error', cancel);
  content.on('close', () => {
    if (!content.readableEnded) cancel();
  });
  let start = Buffer.alloc(0);
  const look = (): void => {
    const chunk = content.read() as Buffer | null;
    if (chunk === null) return;
    start = Buffer.concat([start, chunk]);
    if (start.length < magicLength) return;
    content.off('readable', look);
    content.off('end', endEarly);
    content.unshift(start);
    const packing = packedAs(start);
    if (packing === 'none') {
      content.pipe(process.input);
      return;
    }
    const unpacked = decompressor(packing);
    unpacked.on('error', cancel);
    content.pipe(unpacked).pipe(process.input);
  };
  // No bytes at all are an archive of nothing.
  const endEarly = (): void => void process.input.end(start.length > 0 ? start : Buffer.alloc(1024));
  content.on('readable', look);
  content.once('end', endEarly);
}
