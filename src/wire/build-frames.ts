/**
 * The connection of `POST /berth/v1/build` after its upgrade: frames of kind (1 byte), channel and length (4 bytes each, big-endian) and payload. The
 * client opens with `start`; whatever the build needs of it the engine asks for on a channel of its own, and the client answers there.
 */

/** Numbers never change their meaning. */
export const buildFrame = {
  /** Client: what to build, JSON; the first frame. */
  start: 1,
  /** Client: there is nothing of the kind that was asked for; text. */
  refuse: 2,
  /** Both: bytes of a channel. */
  data: 3,
  /** Both: the end of this direction of a channel. */
  end: 4,
  /** Engine: an event, JSON. */
  event: 10,
  /** Engine: opens a channel, JSON `BuildQuestion`. */
  ask: 11,
  /** Engine: the image, JSON; the last frame. */
  result: 12,
  /** Engine: why there is none, JSON; the last frame. */
  failure: 13,
} as const;

/** What the engine asks of a build's client. */
export type BuildQuestion =
  /** Lines of the files' facts, see `contextLine`. */
  | { kind: 'list'; context: string }
  /** Contents of files, one after another, by their numbers in the list. Sent as 32-bit numbers behind the question. */
  | { kind: 'files'; context: string }
  /** The context as the tar that it is. */
  | { kind: 'tar'; context: string }
  | { kind: 'secret'; id: string }
  /** A connection to the client's agent. */
  | { kind: 'ssh'; id: string }
  /** A blob of a cache that the client has, by its number among those that are read. */
  | { kind: 'cache-read'; cache: number; digest: string }
  /** An empty answer: the client's cache has the blob; refused: not. By its number among those that are written, as below. */
  | { kind: 'cache-has'; cache: number; digest: string }
  /** Bytes of a blob follow from the engine's side. */
  | { kind: 'cache-write'; cache: number; digest: string }
  /** Everything is there: the cache shall name this manifest. */
  | { kind: 'cache-name'; cache: number; manifest: { mediaType: string; digest: string; size: number } }
  /** Bytes of an output follow from the engine's side. */
  | { kind: 'output'; output: number };

export interface Frame {
  kind: number;
  channel: number;
  payload: Uint8Array;
}

const headLength = 9;
/** Nobody sends longer ones; whoever does is no partner. */
const longestPayload = 16 * 1024 * 1024;

export function encodeBuildFrame(kind: number, channel: number, payload: Uint8Array): Uint8Array {
  const frame = new Uint8Array(headLength + payload.length);
  const view = new DataView(frame.buffer);
  view.setUint8(0, kind);
  view.setUint32(1, channel);
  view.setUint32(5, payload.length);
  frame.set(payload, headLength);
  return frame;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function encodeBuildJson(kind: number, channel: number, value: unknown): Uint8Array {
  return encodeBuildFrame(kind, channel, encoder.encode(JSON.stringify(value)));
}

export function decodeBuildJson(frame: Frame): unknown {
  return JSON.parse(decoder.decode(frame.payload));
}

/** Takes chunks, gives whole frames. */
export class BuildFrameDecoder {
  #parts: Uint8Array[] = [];
  #length = 0;

  /** Error: a frame that is too long. */
  *push(chunk: Uint8Array): Generator<Frame> {
    this.#parts.push(chunk);
    this.#length += chunk.length;
    for (;;) {
      if (this.#length < headLength) return;
      const head = this.#peek(headLength);
      const view = new DataView(head.buffer, head.byteOffset, headLength);
      const length = view.getUint32(5);
      if (length > longestPayload) throw new Error('a frame of the build session is too long');
      if (this.#length < headLength + length) return;
      const whole = this.#peek(headLength + length);
      this.#parts = whole.length === headLength + length ? [] : [whole.subarray(headLength + length)];
      this.#length -= headLength + length;
      yield {
        kind: view.getUint8(0),
        channel: view.getUint32(1),
        payload: whole.subarray(headLength, headLength + length),
      };
    }
  }

  /** All bytes so far in one piece, where they are at least so many. */
  #peek(length: number): Uint8Array {
    const first = this.#parts[0] as Uint8Array;
    if (first.length >= length && this.#parts.length === 1) return first;
    const whole = new Uint8Array(this.#length);
    let at = 0;
    for (const part of this.#parts) {
      whole.set(part, at);
      at += part.length;
    }
    this.#parts = [whole];
    return whole;
  }
}

/** One entry of a context's list, a line of fields parted by tabs: letter, mode, size, mtime, path, link; names as latin1, escaped. */
export interface ContextEntry {
  type: 'file' | 'directory' | 'symlink' | 'pipe' | 'character' | 'block';
  /** Without a leading slash; bytes as latin1. */
  path: string;
  mode: number;
  /** Bytes of a file; the number of a device, as stat(2) packs it. */
  size: number;
  /** Nanoseconds since 1970. */
  mtime: string;
  /** Where a symbolic link leads; of a file that came before under another name that name, else empty. */
  link: string;
}

const letters = { file: 'f', directory: 'd', symlink: 'l', pipe: 'p', character: 'c', block: 'b' } as const;
const typeOfLetter = new Map(Object.entries(letters).map(([type, letter]) => [letter as string, type]));

export function contextLine(entry: ContextEntry): string {
  return [
    letters[entry.type],
    entry.mode.toString(8),
    entry.size,
    entry.mtime,
    escapeName(entry.path),
    escapeName(entry.link),
  ].join('\t');
}

/** Error: a line that is none. */
export function parseContextLine(line: string): ContextEntry {
  const [letter = '', mode = '', size = '', mtime = '', path = '', link = ''] = line.split('\t');
  const entry = {
    type: typeOfLetter.get(letter),
    mode: Number.parseInt(mode, 8),
    size: Number(size),
    mtime,
    path: unescapeName(path),
    link: unescapeName(link),
  };
  const isGood =
    entry.type !== undefined &&
    Number.isInteger(entry.mode) &&
    Number.isSafeInteger(entry.size) &&
    entry.size >= 0 &&
    /^-?\d+$/.test(mtime) &&
    isCleanPath(entry.path);
  if (!isGood) throw new Error('a line of the context list cannot be read');
  return entry as ContextEntry;
}

/** Relative, nothing empty, no `.` and no `..`. */
function isCleanPath(path: string): boolean {
  return path.split('/').every((part) => part !== '' && part !== '.' && part !== '..') && !path.includes('\0');
}

function escapeName(name: string): string {
  return name.replace(
    /[\\\t\n\r]/g,
    (sign) => ({ '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' })[sign] as string,
  );
}

function unescapeName(text: string): string {
  return text.replace(/\\(.)/g, (_, sign: string) => ({ t: '\t', n: '\n', r: '\r' })[sign] ?? sign);
}
