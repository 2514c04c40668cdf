/** Bytes that are asked for: whoever reads says where they go. */
export interface ByteSource {
  /** Puts what comes next into `target`, at least one byte; gives how many, 0 at the end. */
  read(target: Uint8Array): Promise<number>;
  /** Nobody reads any further. */
  close(): void;
}

/** Chunks that come by themselves, to be asked for. */
export function sourceOf(chunks: AsyncIterable<Uint8Array>): ByteSource {
  const iterator = chunks[Symbol.asyncIterator]();
  let left: Uint8Array = new Uint8Array();
  return {
    async read(target) {
      while (left.length === 0) {
        const { value, done } = await iterator.next();
        if (done) return 0;
        left = value;
      }
      const taken = left.subarray(0, target.length);
      target.set(taken);
      left = left.subarray(taken.length);
      return taken.length;
    },
    close: () => void iterator.return?.(),
  };
}

/** All that comes, in chunks of their own. */
export async function* chunksOf(source: ByteSource, size = 256 * 1024): AsyncGenerator<Buffer> {
  try {
    for (;;) {
      const chunk = Buffer.allocUnsafe(size);
      const length = await source.read(chunk);
      if (length === 0) return;
      yield chunk.subarray(0, length);
    }
  } finally {
    source.close();
  }
}
