import { createHash } from 'node:crypto';
import { BerthError } from '../api/errors.ts';

export interface BlobFacts {
  /** `sha256:…` */
  digest: string;
  /** Bytes. */
  size: number;
}

/** Bytes that stay in memory behind the last ones: what a connection takes along when it breaks. */
const keptBytes = 8 * 1024 * 1024;
/** Bytes of one piece that a reader gets: a slow connection shows that it moves. */
const pieceSize = 256 * 1024;

/**
 * A blob that is made while it is sent, so that its digest and size are known at its end. Whoever must have a part of it again gets that from memory
 * where it was made just before; else the blob is made once more.
 */
export class MadeBlob {
  readonly #make: () => AsyncGenerator<Uint8Array>;
  readonly #forget: ((bytes: Uint8Array) => void) | undefined;
  #source: AsyncGenerator<Uint8Array> | null = null;
  #advancing: Promise<boolean> | null = null;
  #hash = createHash('sha256');
  /** The last pieces, in their order. */
  #kept: { at: number; bytes: Uint8Array }[] = [];
  #made = 0;
  #isWhole = false;
  #facts: BlobFacts | null = null;
  #failure: unknown = null;

  /** @param make the same bytes each time @param forget is told what nobody will ask for again, many megabytes after it was read */
  constructor(make: () => AsyncGenerator<Uint8Array>, forget?: (bytes: Uint8Array) => void) {
    this.#make = make;
    this.#forget = forget;
  }

  /** Null until it was made to its end. */
  get facts(): BlobFacts | null {
    return this.#facts;
  }

  /** Why it could not be made; whoever sends it hears only that its body broke off. */
  get failure(): unknown {
    return this.#failure;
  }

  /** The bytes from `offset` on. One reader at a time: the one before gets no further. */
  async *from(offset: number): AsyncGenerator<Uint8Array> {
    await this.#advancing?.catch(() => undefined); // who waited for it heard of it
    if (offset < this.#start) await this.#beginAgain();
    for (let at = offset; ; ) {
      if (at < this.#start) throw new Error('another reader went on');
      const piece = this.#pieceAt(at);
      if (piece) {
        at += piece.length;
        yield piece;
      } else if (!(await this.#advance())) {
        return;
      }
    }
  }

  /** Makes what is left of it; nobody gets it. */
  async finish(): Promise<BlobFacts> {
    while (await this.#advance());
    return this.#facts as BlobFacts;
  }

  /** Ends the making. */
  async close(): Promise<void> {
    await this.#source?.return(undefined);
  }

  get #start(): number {
    return this.#kept[0]?.at ?? this.#made;
  }

  #pieceAt(at: number): Uint8Array | null {
    const kept = this.#kept.find((one) => at >= one.at && at < one.at + one.bytes.length);
    return kept?.bytes.subarray(at - kept.at, at - kept.at + pieceSize) ?? null;
  }

  async #beginAgain(): Promise<void> {
    const source = this.#source;
    this.#source = null;
    await source?.return(undefined);
    this.#hash = createHash('sha256');
    this.#kept = [];
    this.#made = 0;
    this.#isWhole = false;
  }

  /** Makes one more piece. False: there is none. */
  #advance(): Promise<boolean> {
    this.#advancing ??= this.#makeNext().finally(() => {
      this.#advancing = null;
    });
    return this.#advancing;
  }

  async #makeNext(): Promise<boolean> {
    if (this.#isWhole) return false;
    this.#source ??= this.#make();
    const { done, value } = await this.#source.next().catch(async (error: unknown) => {
      this.#failure = error;
      await this.#beginAgain();
      throw error;
    });
    if (done) {
      this.#isWhole = true;
      const facts = { digest: `sha256:${this.#hash.digest('hex')}`, size: this.#made };
      if (this.#facts && this.#facts.digest !== facts.digest) {
        this.#failure = new BerthError('internal', 'what is sent has changed meanwhile');
        throw this.#failure;
      }
      this.#facts = facts;
      return false;
    }
    this.#hash.update(value);
    this.#kept.push({ at: this.#made, bytes: value });
    this.#made += value.length;
    while (this.#kept.length > 1 && this.#made - (this.#kept[1]?.at ?? 0) >= keptBytes) {
      const { bytes } = this.#kept.shift() as { bytes: Uint8Array };
      this.#forget?.(bytes);
    }
    return true;
  }
}
