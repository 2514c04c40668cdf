/** DNS messages on a TCP connection: each behind its length in two bytes (RFC 1035, 4.2.2). */

export function frame(message: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(2 + message.length);
  bytes.writeUInt16BE(message.length, 0);
  message.copy(bytes, 2);
  return bytes;
}

/** Puts messages together as they come. Holds at most one message and what came with its end. */
export class FrameReader {
  #rest: Buffer = Buffer.alloc(0);

  /** The messages that are whole now. */
  read(chunk: Uint8Array): Buffer[] {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    const messages: Buffer[] = [];
    for (;;) {
      if (this.#rest.length < 2) return messages;
      const end = 2 + this.#rest.readUInt16BE(0);
      if (this.#rest.length < end) return messages;
      messages.push(this.#rest.subarray(2, end));
      this.#rest = this.#rest.subarray(end);
    }
  }
}
