/** Answers that are a stream of JSON objects: progress, events, readings. */
import { BerthError } from '../api/errors.ts';
import type { ProgressMessage } from '../api/types/progress.ts';
import { JsonStreamDecoder } from '../wire/json-lines.ts';
import type { Answer } from './client.ts';

/** An answer whose body is a stream of `T`; read it with `readMessages`. */
export interface MessageStream<T> extends Answer {
  /** Never there: it carries the type. */
  readonly message?: T;
}

/**
 * The objects as they come, wherever lines and chunks fall. Who stops before the end ends the connection. Errors: the connection's;
 * SyntaxError. A failure of the work itself (a pull's) is one of the messages, see `finishWork`.
 */
export async function* readMessages<T>(answer: MessageStream<T>): AsyncGenerator<T> {
  let ready: unknown[] = [];
  const decoder = new JsonStreamDecoder((value) => ready.push(value));
  try {
    for (let bytes = await answer.body.read(); bytes !== null; bytes = await answer.body.read()) {
      decoder.push(bytes);
      const values = ready;
      ready = [];
      yield* values as T[];
    }
    decoder.end();
  } finally {
    answer.close();
  }
}

/** Reads the progress of pull, push, load or import to its end. Error: `internal` with the words of the message that tells of a failure. */
export async function finishWork(
  answer: MessageStream<ProgressMessage>,
  onMessage: (message: ProgressMessage) => void = () => undefined,
): Promise<void> {
  for await (const message of readMessages(answer)) {
    const failure = message.errorDetail?.message ?? message.error;
    if (failure !== undefined) throw new BerthError('internal', failure);
    onMessage(message);
  }
}
