import type { ProgressMessage } from '../api/types/progress.ts';
import { JsonStreamDecoder } from '../wire/json-lines.ts';
import type { Answer } from './client.ts';
import type { ByteReader } from './transport/transport.ts';

/** The objects of a JSON stream, wherever lines and chunks fall. Errors: the connection's; SyntaxError. */
export async function* readJsonStream<T>(reader: ByteReader): AsyncGenerator<T> {
  let ready: unknown[] = [];
  const decoder = new JsonStreamDecoder((value) => ready.push(value));
  for (let bytes = await reader.read(); bytes !== null; bytes = await reader.read()) {
    decoder.push(bytes);
    const values = ready;
    ready = [];
    yield* values as T[];
  }
  decoder.end();
}

/** The messages of pull, load and import. A failure half way is one of them (`error`), not an exception. */
export async function* readProgress(answer: Answer): AsyncGenerator<ProgressMessage> {
  try {
    yield* readJsonStream<ProgressMessage>(answer.body);
  } finally {
    answer.close();
  }
}
