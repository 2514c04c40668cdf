import type { ByteReader } from '../transport/transport.ts';
import type { ResponseHead } from './response-head.ts';

/** An answer's body. `complete` tells whether the connection may carry another request. */
export interface BodyReader extends ByteReader {
  readonly complete: boolean;
}

/** A reader that first gives back bytes that were read too far. */
export class PrefixedReader implements ByteReader {
  private prefix: Uint8Array | undefined;
  private readonly reader: ByteReader;

  constructor(reader: ByteReader, prefix: Uint8Array) {
    this.reader = reader;
    this.prefix = prefix.length > 0 ? prefix : undefined;
  }

  take(): Uint8Array | undefined {
    const prefix = this.prefix;
    if (!prefix) return this.reader.take();
    this.prefix = undefined;
    return prefix;
  }

  read(): Promise<Uint8Array | null> {
    const prefix = this.prefix;
    if (!prefix) return this.reader.read();
    this.prefix = undefined;
    return Promise.resolve(prefix);
  }

  /** Gives bytes back to be read next. */
  unread(bytes: Uint8Array): void {
    if (bytes.length > 0) this.prefix = bytes;
  }
}

/** Tells when a body was read whole. */
export class EndingBody implements BodyReader {
  private readonly body: BodyReader;
  private readonly onEnd: () => void;

  constructor(body: BodyReader, onEnd: () => void) {
    this.body = body;
    this.onEnd = onEnd;
  }

  get complete(): boolean {
    return this.body.complete;
  }

  take(): Uint8Array | undefined {
    return this.body.take();
  }

  async read(): Promise<Uint8Array | null> {
    const bytes = await this.body.read();
    if (bytes === null) this.onEnd();
    return bytes;
  }
}

/** The body that a head announces (RFC 9112, section 6). */
export function openBody(head: ResponseHead, reader: PrefixedReader, isHead: boolean): BodyReader {
  if (isHead || head.status === 204 || head.status === 304) return new SizedBody(reader, 0);
  if (/(^|,)\s*chunked$/i.test(head.headers['transfer-encoding'] ?? '')) return new ChunkedBody(reader);
  const length = head.headers['content-length'];
  if (length !== undefined) return new SizedBody(reader, Number(length));
  return new UntilCloseBody(reader);
}

class SizedBody implements BodyReader {
  private left: number;
  private readonly reader: PrefixedReader;

  constructor(reader: PrefixedReader, length: number) {
    this.reader = reader;
    this.left = length;
  }

  get complete(): boolean {
    return this.left === 0;
  }

  take(): Uint8Array | undefined {
    if (this.left === 0) return undefined;
    const bytes = this.reader.take();
    return bytes && this.count(bytes);
  }

  async read(): Promise<Uint8Array | null> {
    if (this.left === 0) return null;
    const bytes = await this.reader.read();
    if (bytes === null) throw new Error('unexpected EOF');
    return this.count(bytes);
  }

  private count(bytes: Uint8Array): Uint8Array {
    if (bytes.length <= this.left) {
      this.left -= bytes.length;
      return bytes;
    }
    const mine = bytes.subarray(0, this.left);
    this.reader.unread(bytes.subarray(this.left));
    this.left = 0;
    return mine;
  }
}

class UntilCloseBody implements BodyReader {
  readonly complete = false;
  private readonly reader: ByteReader;

  constructor(reader: ByteReader) {
    this.reader = reader;
  }

  take(): Uint8Array | undefined {
    return this.reader.take();
  }

  read(): Promise<Uint8Array | null> {
    return this.reader.read();
  }
}

/** Where in the chunked grammar the next byte stands. */
type ChunkState = 'size' | 'extension' | 'data' | 'after-data' | 'trailer' | 'done';

const newline = 10;
const carriageReturn = 13;
const semicolon = 59;

class ChunkedBody implements BodyReader {
  private readonly reader: PrefixedReader;
  private state: ChunkState = 'size';
  private left = 0;
  private digits = 0;
  private lineLength = 0;
  /** Bytes of the current piece that are not yet looked at. */
  private piece: Uint8Array | undefined;
  private at = 0;

  constructor(reader: PrefixedReader) {
    this.reader = reader;
  }

  get complete(): boolean {
    return this.state === 'done';
  }

  take(): Uint8Array | undefined {
    for (;;) {
      const data = this.decode();
      if (data || this.state === 'done') return data;
      this.piece = this.reader.take();
      this.at = 0;
      if (!this.piece) return undefined;
    }
  }

  async read(): Promise<Uint8Array | null> {
    for (;;) {
      const data = this.decode();
      if (data) return data;
      if (this.state === 'done') return null;
      const piece = await this.reader.read();
      if (piece === null) throw new Error('unexpected EOF');
      this.piece = piece;
      this.at = 0;
    }
  }

  /** The next run of data in the current piece; undefined when the piece is used up or the body has ended. */
  private decode(): Uint8Array | undefined {
    const piece = this.piece;
    if (!piece) return undefined;
    while (this.at < piece.length) {
      if (this.state === 'data') {
        const end = Math.min(piece.length, this.at + this.left);
        const data = piece.subarray(this.at, end);
        this.left -= end - this.at;
        this.at = end;
        if (this.left === 0) this.state = 'after-data';
        return data;
      }
      this.step(piece[this.at++] as number);
      if (this.complete) {
        this.reader.unread(piece.subarray(this.at));
        break;
      }
    }
    this.piece = undefined;
    return undefined;
  }

  /** One byte outside the data. */
  private step(byte: number): void {
    switch (this.state) {
      case 'size':
        if (byte === newline) this.sizeRead();
        else if (byte === semicolon) this.state = 'extension';
        else if (byte !== carriageReturn) this.digit(byte);
        return;
      case 'extension':
        if (byte === newline) this.sizeRead();
        return;
      case 'after-data':
        if (byte === newline) this.state = 'size';
        else if (byte !== carriageReturn) throw new Error('malformed chunked encoding');
        return;
      case 'trailer':
        if (byte !== newline) {
          if (byte !== carriageReturn) this.lineLength++;
          return;
        }
        if (this.lineLength === 0) this.state = 'done';
        this.lineLength = 0;
        return;
      default:
        throw new Error('malformed chunked encoding');
    }
  }

  private digit(byte: number): void {
    const value = Number.parseInt(String.fromCharCode(byte), 16);
    if (Number.isNaN(value) || ++this.digits > 13) throw new Error('malformed chunked encoding');
    this.left = this.left * 16 + value;
  }

  private sizeRead(): void {
    if (this.digits === 0) throw new Error('malformed chunked encoding');
    this.digits = 0;
    this.state = this.left === 0 ? 'trailer' : 'data';
  }
}
