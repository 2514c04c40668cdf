/** All that comes, of at most `limit` bytes. Error: `tooLong`'s as soon as there is more, and the source is ended. */
export async function collectWithin(
  chunks: AsyncIterable<Uint8Array>,
  limit: number,
  tooLong: () => Error,
): Promise<Buffer<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    length += chunk.length;
    if (length > limit) throw tooLong();
    parts.push(chunk);
  }
  return Buffer.concat(parts);
}
