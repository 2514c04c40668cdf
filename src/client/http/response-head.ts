import type { ByteReader } from '../transport/transport.ts';

/** Status line and headers of an HTTP/1.1 answer (RFC 9112). */
export interface ResponseHead {
  status: number;
  /** Names in lower case; repeated headers joined by `, `. */
  headers: Record<string, string>;
  /** Bytes behind the head that came with it. */
  rest: Uint8Array;
}

/** No answer's head is longer; an engine that sends more is broken. */
const maxHead = 1 << 20;
const decoder = new TextDecoder('latin1');

/** Reads one head. Interim answers (100 to 199 but 101) are skipped. Errors: the connection's; a head that is none. */
export async function readResponseHead(reader: ByteReader): Promise<ResponseHead> {
  let pending: Uint8Array = new Uint8Array(0);
  for (;;) {
    const end = headEnd(pending);
    if (end >= 0) {
      const head = parseHead(decoder.decode(pending.subarray(0, end)));
      const rest = pending.subarray(end);
      if (head.status >= 200 || head.status === 101) return { ...head, rest };
      pending = rest;
      continue;
    }
    if (pending.length > maxHead) throw new Error('the answer has headers without end');
    const bytes = await reader.read();
    if (bytes === null) throw new Error(pending.length === 0 ? 'EOF' : 'unexpected EOF');
    pending = pending.length === 0 ? bytes : concat(pending, bytes);
  }
}

/** Index behind the empty line, or −1. */
function headEnd(bytes: Uint8Array): number {
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) {
    if (bytes[at + 1] === 10) return at + 2;
    if (bytes[at + 1] === 13 && bytes[at + 2] === 10) return at + 3;
  }
  return -1;
}

function parseHead(text: string): { status: number; headers: Record<string, string> } {
  const lines = text.split(/\r?\n/);
  const match = /^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(lines[0] ?? '');
  if (!match) throw new Error(`malformed HTTP response ${JSON.stringify(lines[0])}`);
  const headers: Record<string, string> = {};
  for (const line of lines.slice(1)) {
    const colon = line.indexOf(':');
    if (colon <= 0) continue;
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    headers[name] = name in headers ? `${headers[name]}, ${value}` : value;
  }
  return { status: Number(match[1]), headers };
}

function concat(first: Uint8Array, second: Uint8Array): Uint8Array {
  const joined = new Uint8Array(first.length + second.length);
  joined.set(first);
  joined.set(second, first.length);
  return joined;
}
