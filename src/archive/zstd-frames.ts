/**
 * Where the frames of a Zstandard stream end (RFC 8878, section 3.1). The decompressor of the runtime takes a stream that breaks off
 * for a complete one, so its end is checked here.
 */

/** Bytes of the dictionary id and of the content size, by their flags in the frame's descriptor. */
const dictionaryBytes = [0, 1, 2, 4];
const contentSizeBytes = [0, 2, 4, 8];
const checksumBytes = 4;

type State = 'magic' | 'skippable size' | 'descriptor' | 'block';

/** Bytes that are read together in each state. */
const wanted: Record<State, number> = { magic: 4, 'skippable size': 4, descriptor: 1, block: 3 };

export class ZstdFrames {
  #state: State = 'magic';
  #skip = 0;
  #value = 0;
  #have = 0;
  #hasChecksum = false;
  #frames = 0;

  /** True between two frames, when there was at least one. */
  get isComplete(): boolean {
    return this.#state === 'magic' && this.#have === 0 && this.#skip === 0 && this.#frames > 0;
  }

  /** Takes the next bytes of the packed stream. What is no frame at all is left to the decompressor to refuse. */
  push(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; ) {
      if (this.#skip > 0) {
        const part = Math.min(this.#skip, chunk.length - at);
        this.#skip -= part;
        at += part;
        continue;
      }
      this.#value += (chunk[at++] as number) * 2 ** (8 * this.#have++);
      if (this.#have < wanted[this.#state]) continue;
      const value = this.#value;
      this.#value = 0;
      this.#have = 0;
      this.#step(value);
    }
  }

  #step(value: number): void {
    switch (this.#state) {
      case 'magic':
        this.#frames++;
        this.#state = value >= 0x184d2a50 && value <= 0x184d2a5f ? 'skippable size' : 'descriptor';
        return;
      case 'skippable size':
        this.#skip = value;
        this.#state = 'magic';
        return;
      case 'descriptor': {
        const isSingleSegment = (value & 0x20) !== 0;
        const sizeFlag = value >> 6;
        const contentSize = sizeFlag === 0 && isSingleSegment ? 1 : (contentSizeBytes[sizeFlag] as number);
        this.#hasChecksum = (value & 0x04) !== 0;
        this.#skip = (isSingleSegment ? 0 : 1) + (dictionaryBytes[value & 3] as number) + contentSize;
        this.#state = 'block';
        return;
      }
      default: {
        const isLast = (value & 1) !== 0;
        const isRun = ((value >> 1) & 3) === 1;
        this.#skip = isRun ? 1 : value >> 3;
        if (!isLast) return;
        if (this.#hasChecksum) this.#skip += checksumBytes;
        this.#state = 'magic';
      }
    }
  }
}
