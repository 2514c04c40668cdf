/** What route handlers answer with. */
import { errorMessage } from '../api/errors.ts';
import type { ProgressMessage } from '../api/types/progress.ts';
import { stringifyJson } from '../wire/json.ts';
import type { Headers, HttpResponse } from './http/response.ts';

const jsonHeaders: Headers = { 'Content-Type': 'application/json' };

export class Reply {
  readonly http: HttpResponse;

  constructor(http: HttpResponse) {
    this.http = http;
  }

  json(status: number, value: unknown): void {
    this.http.send(status, jsonHeaders, `${stringifyJson(value)}\n`);
  }

  /** No body: 200, 201, 204. */
  empty(status: number): void {
    this.http.send(status, {});
  }

  /** The head of a JSON stream, sent at once. */
  startJsonStream(): void {
    this.http.start(200, jsonHeaders);
  }

  /** One object of a JSON stream. Resolves when the client keeps up. */
  async jsonLine(value: unknown): Promise<void> {
    if (!this.http.write(`${stringifyJson(value)}\n`)) await this.http.drained();
  }
}

/**
 * The progress stream of a long verb. A slow client does not slow the work: while it lags, of each item only the last progress is kept.
 * The head goes out with the first message, so that a failure before it can still have a status of its own.
 */
export class ProgressStream {
  readonly #http: HttpResponse;
  /** Waiting for the client; messages without a place of their own in order, progress by item. */
  #waiting: Map<string | number, ProgressMessage> = new Map();
  #serial = 0;
  #draining: Promise<void> | null = null;

  constructor(http: HttpResponse) {
    this.#http = http;
  }

  readonly send = (message: ProgressMessage): void => {
    if (this.#http.closed || this.#http.finished) return;
    if (this.#draining) {
      const key = message.progressDetail && message.id !== undefined ? message.id : ++this.#serial;
      // A newer state of the same item takes the end of the row, behind what was said meanwhile.
      this.#waiting.delete(key);
      this.#waiting.set(key, message);
      return;
    }
    this.#write(message);
  };

  #write(message: ProgressMessage): void {
    if (!this.#http.started) this.#http.start(200, jsonHeaders);
    // Docker ends a message of this stream by CR LF.
    if (!this.#http.write(`${stringifyJson(message)}\r\n`))
      this.#draining = this.#http.drained().then(() => this.#flush());
  }

  #flush(): void {
    this.#draining = null;
    const waiting = this.#waiting;
    this.#waiting = new Map();
    for (const message of waiting.values()) this.send(message);
  }

  /** Ends the stream; with an error as its last message where there is one. */
  async end(error?: unknown): Promise<void> {
    if (error !== undefined) {
      const message = errorMessage(error);
      this.send({ errorDetail: { message }, error: message });
    }
    while (this.#draining) await this.#draining;
    if (!this.#http.started) this.#http.start(200, jsonHeaders);
    this.#http.end();
  }
}

/**
 * Runs a verb with progress. What fails before the first message rejects (and gets a status), unless `always` asks for an answer of 200 that
 * tells the error inside, as dockerd's load does.
 */
export async function withProgress(
  reply: Reply,
  work: (progress: ProgressStream) => Promise<void>,
  options: { always?: boolean } = {},
): Promise<void> {
  const progress = new ProgressStream(reply.http);
  try {
    await work(progress);
  } catch (error) {
    if (!reply.http.started && !options.always) throw error;
    await progress.end(error);
    return;
  }
  await progress.end();
}
