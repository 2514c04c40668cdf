import type { ByteReader } from '../transport/transport.ts';

/** All bytes up to the end. For answers whose size the engine bounds, not for streams. */
export async function readAll(reader: ByteReader): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (let bytes = await reader.read(); bytes !== null; bytes = await reader.read()) {
    chunks.push(bytes);
    size += bytes.length;
  }
  if (chunks.length === 1) return chunks[0] as Uint8Array;
  const all = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}

/** The same as text. */
export async function readText(reader: ByteReader): Promise<string> {
  return new TextDecoder().decode(await readAll(reader));
}

/** Each line of a stream as it comes, without its end; an unfinished last line counts. */
export async function* readLines(reader: ByteReader): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let pending = '';
  for (let bytes = await reader.read(); bytes !== null; bytes = await reader.read()) {
    pending += decoder.decode(bytes, { stream: true });
    let start = 0;
    for (let end = pending.indexOf('\n', start); end >= 0; end = pending.indexOf('\n', start)) {
      yield pending.slice(start, end);
      start = end + 1;
    }
    pending = pending.slice(start);
  }
  pending += decoder.decode();
  if (pending) yield pending;
}
