/** What can go wrong between a registry and its client, and the sending of bodies with it. */
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { GeneratedBlob } from './registry.ts';

export type RegistryFaultAction =
  /** The connection breaks after this many bytes of the body. */
  | { kind: 'break'; after: number }
  /** The answer ends early, cleanly, and says so in no header. */
  | { kind: 'truncate'; after: number }
  /** The first byte of the body is another one. */
  | { kind: 'corrupt' }
  /** The body comes at this pace. */
  | { kind: 'slow'; bytesPerSecond: number }
  /** The body stops after this many bytes and the connection stays. */
  | { kind: 'stall'; after: number }
  | { kind: 'status'; status: number; body?: string; headers?: Record<string, string> }
  | { kind: 'redirect'; to: string; status?: number }
  /** No answer at all. */
  | { kind: 'hang' }
  /** The connection is closed before the answer. */
  | { kind: 'reset' };

export interface RegistryFault {
  path: RegExp;
  /** Absent: any. */
  method?: string | undefined;
  action: RegistryFaultAction;
  left: number;
}

const chunkSize = 64 * 1024;

/** Sends (a range of) a body; resolves when the answer is finished or broken. */
export async function sendBody(
  request: IncomingMessage,
  response: ServerResponse,
  what: {
    source: Uint8Array | GeneratedBlob;
    action: RegistryFaultAction | undefined;
    ranges: boolean;
    onLast?: () => void;
  },
): Promise<void> {
  const { source, action } = what;
  const total = source instanceof Uint8Array ? source.length : source.size;
  const range = what.ranges ? /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') : null;
  const start = range ? Number(range[1]) : 0;
  const end = range?.[2] ? Math.min(Number(range[2]) + 1, total) : total;
  if (range && start >= total) {
    return void response.writeHead(416, { 'content-range': `bytes */${total}` }).end();
  }
  const headers: Record<string, string | number> = action?.kind === 'truncate' ? {} : { 'content-length': end - start };
  if (range) headers['content-range'] = `bytes ${start}-${end - 1}/${total}`;
  response.writeHead(range ? 206 : 200, headers);
  if (request.method === 'HEAD') return void response.end();
  let sent = 0;
  while (start + sent < end && !response.destroyed) {
    const limit = action && 'after' in action ? action.after : Number.POSITIVE_INFINITY;
    const room = Math.min(chunkSize, end - start - sent, limit - sent);
    if (room <= 0) break;
    let chunk = readChunk(source, start + sent, room);
    if (action?.kind === 'corrupt' && sent === 0) {
      chunk = Uint8Array.from(chunk);
      chunk[0] = (chunk[0] as number) ^ 0xff;
    }
    if (action?.kind === 'slow') await pause((chunk.length / action.bytesPerSecond) * 1000);
    sent += chunk.length;
    if (start + sent === end) what.onLast?.();
    if (!response.write(chunk) && !response.destroyed) await eitherEvent(response, 'drain');
  }
  if (action?.kind === 'break') return void request.socket.destroy();
  if (action?.kind === 'stall') return void (response.destroyed || (await once(response, 'close')));
  response.end();
  if (!response.destroyed && !response.writableFinished) await eitherEvent(response, 'finish');
}

/** Resolves at the event or when the connection is gone; takes its listeners away again. */
async function eitherEvent(response: ServerResponse, event: 'drain' | 'finish'): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const done = (): void => resolve();
  response.once(event, done).once('close', done);
  await promise;
  response.off(event, done).off('close', done);
}

function readChunk(source: Uint8Array | GeneratedBlob, offset: number, length: number): Uint8Array {
  if (source instanceof Uint8Array) return source.subarray(offset, offset + length);
  return source.read(offset).subarray(0, length);
}

/** A pace, not a wait for something: the fault itself is the time. */
export function pause(milliseconds: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  setTimeout(resolve, milliseconds);
  return promise;
}
