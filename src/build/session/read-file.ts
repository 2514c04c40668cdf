import { open } from 'node:fs/promises';

const pieceSize = 512 * 1024;

/** The bytes of a file, piece by piece; each piece is the reader's own. */
export async function* readPieces(place: Buffer | string): AsyncGenerator<Buffer> {
  const file = await open(place, 'r');
  try {
    for (;;) {
      const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(pieceSize), 0, pieceSize, null);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

/** At most the first `length` bytes. */
export async function readStart(place: Buffer | string, length: number): Promise<Buffer> {
  const file = await open(place, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
