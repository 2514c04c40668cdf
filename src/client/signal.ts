/** Cancelling: an abort closes the connection, and who reads from it is told why. */
import { BerthError } from '../api/errors.ts';
import type { ByteReader, Connection } from './transport/transport.ts';

export function cancelled(cause?: unknown): BerthError {
  return new BerthError('cancelled', 'the request was cancelled', { cause });
}

/** The connection, or a rejection as soon as the signal aborts; a connection that comes too late is closed. */
export async function unlessCancelled(
  connecting: Promise<Connection>,
  signal: AbortSignal | undefined,
): Promise<Connection> {
  if (!signal) return connecting;
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => aborted.reject(cancelled(signal.reason));
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([connecting, aborted.promise]);
  } catch (error) {
    connecting.then(
      (connection) => connection.close(),
      () => undefined,
    );
    throw error;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** Error: `cancelled` for a signal that is aborted already. */
export function watchSignal(
  connection: Connection,
  signal: AbortSignal | undefined,
): { reader: ByteReader; unwatch(): void } {
  if (!signal) return { reader: connection, unwatch: () => undefined };
  if (signal.aborted) throw cancelled(signal.reason);
  const abort = (): void => connection.close();
  signal.addEventListener('abort', abort, { once: true });
  return {
    reader: new CancellableReader(connection, signal),
    unwatch: () => signal.removeEventListener('abort', abort),
  };
}

/** Where a connection that was closed looks like its end, this tells an abort from an end. */
class CancellableReader implements ByteReader {
  private readonly source: ByteReader;
  private readonly signal: AbortSignal;

  constructor(source: ByteReader, signal: AbortSignal) {
    this.source = source;
    this.signal = signal;
  }

  take(): Uint8Array | undefined {
    return this.source.take();
  }

  async read(): Promise<Uint8Array | null> {
    try {
      const bytes = await this.source.read();
      if (bytes !== null || !this.signal.aborted) return bytes;
    } catch (error) {
      if (!this.signal.aborted) throw error;
    }
    throw cancelled(this.signal.reason);
  }
}
