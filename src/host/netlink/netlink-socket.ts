import { bind, close, errnoCode, lastErrno, receive, SystemError, send, setSocketOption, socket } from './libc.ts';
import { type Message, type MessageWriter, messageType, readMessages } from './message.ts';

const addressFamily = 16;
const rawCloseOnExec = 3 | 0o2000000;
const socketLevel = 1;
const sendBufferForce = 32;
const receiveBufferForce = 33;
const dontWait = 0x40;
const netlinkLevel = 270;
const noBufferErrors = 5;

export const netlinkFamily = { route: 0, netfilter: 12 } as const;

/** The kernel's address. */
const kernel = new Uint8Array(12);
kernel[0] = addressFamily;

/**
 * A netlink socket whose requests are answered before the call returns: the kernel does the work in the sender's own thread,
 * in microseconds.
 */
export class NetlinkSocket {
  readonly #fd: number;
  #buffer = Buffer.alloc(65_536);
  #sendBuffer = 65_536;

  /**
   * @param groups bits of the multicast groups to listen to (groups 1 to 32)
   */
  constructor(family: number, groups = 0) {
    this.#fd = socket(addressFamily, rawCloseOnExec, family);
    if (this.#fd < 0) throw new SystemError('open a netlink socket', lastErrno());
    const address = Buffer.from(kernel);
    address.writeUInt32LE(groups, 8);
    if (bind(this.#fd, address) < 0) {
      const error = new SystemError('bind a netlink socket', lastErrno());
      this.close();
      throw error;
    }
  }

  get fd(): number {
    return this.#fd;
  }

  /** Multicast messages that find no room are dropped without an error, for listeners who only want to know that something happened. */
  dropOverflow(): void {
    setSocketOption(this.#fd, netlinkLevel, noBufferErrors, 1);
  }

  /**
   * Sends messages and waits until the kernel has done them; at least the last must ask for an acknowledgement. The first
   * error is thrown. The kernel works inside of send(2), so every answer is there when it returns.
   */
  run(writer: MessageWriter, what: string): void {
    this.#send(writer.bytes, what);
    let failed = 0;
    for (let messages = this.#receive(what); messages !== null; messages = this.#receive(what)) {
      for (const message of messages) {
        if (message.type === messageType.error) failed ||= -message.payload.readInt32LE(0);
      }
    }
    if (failed !== 0) throw new SystemError(what, failed);
  }

  /** Sends one dump request; gives every message of the answer. */
  dump(writer: MessageWriter, what: string): Message[] {
    this.#send(writer.bytes, what);
    const found: Message[] = [];
    for (let messages = this.#receive(what); messages !== null; messages = this.#receive(what)) {
      for (const message of messages) {
        if (message.type === messageType.error) {
          const code = -message.payload.readInt32LE(0);
          if (code !== 0) throw new SystemError(what, code);
        } else if (message.type !== messageType.done) {
          found.push({ ...message, payload: Buffer.from(message.payload) });
        }
      }
    }
    return found;
  }

  /** Throws away what waits to be read. */
  drain(): void {
    for (let length = 0; length >= 0; ) length = receive(this.#fd, this.#buffer, dontWait);
  }

  close(): void {
    close(this.#fd);
  }

  #send(data: Buffer, what: string): void {
    if (data.length * 2 > this.#sendBuffer) {
      this.#sendBuffer = data.length * 4;
      setSocketOption(this.#fd, socketLevel, sendBufferForce, this.#sendBuffer);
      setSocketOption(this.#fd, socketLevel, receiveBufferForce, this.#sendBuffer);
    }
    for (;;) {
      if (send(this.#fd, data, kernel) >= 0) return;
      const errno = lastErrno();
      if (errno !== errnoCode.EINTR) throw new SystemError(what, errno);
    }
  }

  /** The messages of the next datagram, valid until the next call; null: none waits. */
  #receive(what: string): Message[] | null {
    for (;;) {
      const length = receive(this.#fd, this.#buffer, dontWait);
      if (length >= 0) return readMessages(this.#buffer.subarray(0, length));
      const errno = lastErrno();
      if (errno === errnoCode.EAGAIN) return null;
      if (errno !== errnoCode.EINTR) throw new SystemError(what, errno);
    }
  }
}
