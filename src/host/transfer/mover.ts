/** A thread's work: moves bytes between connections and files, many at a time, through one buffer that stays in the processor's cache. */
import { createHash, type Hash } from 'node:crypto';
import {
  Bell,
  beginWriteback,
  boundBuffers,
  interrupted,
  lastErrno,
  poll,
  pollIn,
  pollOut,
  receive,
  sendFile,
  wouldBlock,
  writeAt,
} from './calls.ts';
import type { ChunkDecoder, Order, Outcome, Pace, ReceiveOrder, SendOrder, Trouble } from './orders.ts';

export interface MoverOptions {
  /** Of the bell that is rung when an order waits. */
  bell: number;
  nextOrder(): Order | null;
  answer(outcome: Outcome): void;
  makeDecoder(): ChunkDecoder;
}

/** Bytes of one read from a connection, which are written at once, and of one call of sendfile. */
const receiveSize = 256 * 1024;
const sendSize = 1024 * 1024;
/** So much of a file is given to the disk at a time, before anybody asks for a sync. */
const writebackSize = 8 * 1024 * 1024;
/** Within a machine there is no way to fill: what waits in large buffers only falls out of the processor's cache. Docs: decisions/0012. */
const localBuffer = 128 * 1024;
/** How often slow transfers are looked for, while there are transfers. */
const watchMilliseconds = 1000;

const nothing = Buffer.alloc(0);

/** The SHA-256 of the first `length` bytes of a file. */
interface RunningHash {
  hash: Hash;
  length: number;
}

/** One transfer under way. */
abstract class Transfer {
  readonly id: number;
  readonly socket: number;
  readonly pace: Pace;
  /** What `poll` is to wait for. */
  abstract readonly events: number;
  position: number;
  /** Of the present window of its pace. */
  windowStart = Date.now();
  windowPosition: number;

  constructor(id: number, { socket, pace }: Pick<ReceiveOrder, 'socket' | 'pace'>, position: number) {
    this.id = id;
    this.socket = socket;
    this.pace = pace;
    this.position = position;
    this.windowPosition = position;
  }

  /** Moves what can be moved now. Gives the outcome at the end, null before. */
  abstract step(): Outcome | null;

  outcome(trouble: Trouble | null): Outcome {
    return { id: this.id, position: this.position, behind: null, digest: null, trouble };
  }
}

/** Runs until it is told to stop. Nothing else runs in its thread. */
export class Mover {
  readonly #options: MoverOptions;
  readonly #bell: Bell;
  readonly #buffer = Buffer.allocUnsafeSlow(receiveSize);
  readonly #hashes = new Map<string, RunningHash>();
  readonly #transfers = new Map<number, Transfer>();
  #pairs = new Int32Array(64);
  #isStopped = false;
  #watched = 0;

  constructor(options: MoverOptions) {
    this.#options = options;
    this.#bell = new Bell(options.bell);
  }

  run(): void {
    while (!this.#isStopped) {
      const transfers = [...this.#transfers.values()];
      const pairs = this.#pairsOf(transfers);
      const ready = poll(pairs, transfers.length + 1, transfers.length > 0 ? watchMilliseconds : -1);
      if (ready < 0) {
        if (lastErrno() !== interrupted) throw new Error(`poll: error ${lastErrno()}`);
        continue;
      }
      for (const [index, transfer] of transfers.entries())
        if ((pairs[2 * index + 3] as number) >> 16 !== 0) this.#step(transfer);
      if ((pairs[1] as number) >> 16 !== 0) this.#takeOrders();
      this.#watch();
    }
  }

  /** The bell first. */
  #pairsOf(transfers: readonly Transfer[]): Int32Array {
    if (this.#pairs.length < 2 * transfers.length + 2) this.#pairs = new Int32Array(4 * transfers.length);
    this.#pairs[0] = this.#bell.descriptor;
    this.#pairs[1] = pollIn;
    for (const [index, { socket, events }] of transfers.entries()) {
      this.#pairs[2 * index + 2] = socket;
      this.#pairs[2 * index + 3] = events;
    }
    return this.#pairs;
  }

  #step(transfer: Transfer): void {
    const outcome = transfer.step();
    if (outcome) this.#end(outcome);
  }

  #end(outcome: Outcome): void {
    this.#transfers.delete(outcome.id);
    this.#options.answer(outcome);
  }

  #takeOrders(): void {
    this.#bell.silence();
    for (let order = this.#options.nextOrder(); order; order = this.#options.nextOrder()) this.#take(order);
  }

  #take(order: Order): void {
    switch (order.kind) {
      case 'receive':
        if (order.isLocal) boundBuffers(order.socket, localBuffer);
        this.#begin(new Receiving(order.id, order, this.#tools(order)));
        break;
      case 'send':
        if (order.isLocal) boundBuffers(order.socket, localBuffer);
        this.#begin(new Sending(order.id, order));
        break;
      case 'cancel': {
        const transfer = this.#transfers.get(order.id);
        if (transfer) this.#end(transfer.outcome({ kind: 'cancelled' }));
        break;
      }
      case 'digest': {
        const running = this.#hashes.get(order.key);
        this.#hashes.delete(order.key);
        const digest = running?.length === order.length ? running.hash.digest('hex') : null;
        this.#options.answer({ id: order.id, position: 0, behind: null, digest, trouble: null });
        break;
      }
      case 'forget':
        this.#hashes.delete(order.key);
        break;
      case 'stop':
        this.#isStopped = true;
    }
  }

  #tools({ key, position, framing }: ReceiveOrder): ReceivingTools {
    const known = this.#hashes.get(key);
    let running: RunningHash | null = null;
    if (position === 0) running = { hash: createHash('sha256'), length: 0 };
    else if (known?.length === position) running = known;
    if (running) this.#hashes.set(key, running);
    else this.#hashes.delete(key);
    const decoder = framing.kind === 'chunked' ? this.#options.makeDecoder() : null;
    return { buffer: this.#buffer, running, decoder };
  }

  #begin(transfer: Transfer): void {
    this.#transfers.set(transfer.id, transfer);
    this.#step(transfer);
  }

  #watch(): void {
    const now = Date.now();
    if (now < this.#watched + watchMilliseconds) return;
    this.#watched = now;
    for (const transfer of [...this.#transfers.values()]) {
      const { pace, position } = transfer;
      if (now < transfer.windowStart + pace.milliseconds) continue;
      if (position - transfer.windowPosition < pace.bytes) this.#end(transfer.outcome({ kind: 'slow' }));
      transfer.windowStart = now;
      transfer.windowPosition = position;
    }
  }
}

interface ReceivingTools {
  /** Shared by all: nothing stays in it from one step to the next. */
  buffer: Buffer;
  running: RunningHash | null;
  decoder: ChunkDecoder | null;
}

/** A body on its way into a file. */
class Receiving extends Transfer {
  readonly events = pollIn;
  readonly #file: number;
  readonly #tools: ReceivingTools;
  /** What came with the head. */
  #ahead: Buffer;
  /** Half a line between two chunks. */
  #carried: Buffer = nothing;
  /** Of a body of known length. */
  #left: number;
  #writtenBack: number;

  constructor(id: number, order: ReceiveOrder, tools: ReceivingTools) {
    super(id, order, order.position);
    this.#file = order.file;
    this.#tools = tools;
    this.#ahead = Buffer.from(order.ahead);
    this.#left = order.framing.kind === 'length' ? order.framing.length : 0;
    this.#writtenBack = order.position;
  }

  step(): Outcome | null {
    const input = this.#read();
    if (!Buffer.isBuffer(input)) return input && this.outcome(input);
    try {
      const { bytes, behind } = this.#tools.decoder ? this.#decode(this.#tools.decoder, input) : this.#measure(input);
      const trouble = bytes && this.#write(bytes);
      if (trouble) return this.outcome(trouble);
      return behind && { ...this.outcome(null), behind: Buffer.from(behind) };
    } catch (error) {
      return this.outcome({ kind: 'malformed', message: error instanceof Error ? error.message : String(error) });
    }
  }

  /** Null: nothing is there now. */
  #read(): Buffer | Trouble | null {
    if (this.#ahead.length > 0) {
      const input = this.#ahead;
      this.#ahead = nothing;
      return input;
    }
    const { buffer, decoder } = this.#tools;
    const before = this.#carried.length;
    buffer.set(this.#carried);
    const room = buffer.subarray(before);
    // Of what follows the body nothing is taken, where that can be known.
    const count = receive(this.socket, room, decoder ? room.length : Math.min(room.length, this.#left));
    if (count < 0) {
      const errno = lastErrno();
      return errno === wouldBlock || errno === interrupted ? null : { kind: 'call', call: 'recv', errno };
    }
    if (count === 0) return { kind: 'eof' };
    return buffer.subarray(0, before + count);
  }

  #measure(input: Buffer): { bytes: Buffer; behind: Buffer | null } {
    const bytes = input.subarray(0, this.#left);
    this.#left -= bytes.length;
    return { bytes, behind: this.#left === 0 ? input.subarray(bytes.length) : null };
  }

  #decode(decoder: ChunkDecoder, input: Buffer): { bytes: Buffer | null; behind: Buffer | null } {
    const { bytes, used } = decoder.take(input);
    const rest = Buffer.from(input.subarray(used));
    this.#carried = rest;
    if (decoder.done) return { bytes, behind: rest };
    return { bytes, behind: null };
  }

  #write(bytes: Buffer): Trouble | null {
    for (let done = 0; done < bytes.length; ) {
      const count = writeAt(this.#file, bytes.subarray(done), this.position);
      if (count < 0) {
        const errno = lastErrno();
        if (errno === interrupted) continue;
        // The file ends somewhere inside of these bytes; the hash has none of them.
        return { kind: 'call', call: 'write', errno };
      }
      this.#tools.running?.hash.update(bytes.subarray(done, done + count));
      done += count;
      this.position += count;
      if (this.#tools.running) this.#tools.running.length = this.position;
    }
    if (this.position - this.#writtenBack >= writebackSize) {
      beginWriteback(this.#file, this.#writtenBack, this.position - this.#writtenBack);
      this.#writtenBack = this.position;
    }
    return null;
  }
}

/** A part of a file on its way to a client. */
class Sending extends Transfer {
  readonly events = pollOut;
  readonly #file: number;
  readonly #end: number;

  constructor(id: number, order: SendOrder) {
    super(id, order, order.start);
    this.#file = order.file;
    this.#end = order.end;
  }

  step(): Outcome | null {
    const most = Math.min(sendSize, this.#end + 1 - this.position);
    const count = sendFile(this.socket, this.#file, { start: this.position, most });
    if (count < 0) {
      const errno = lastErrno();
      return errno === wouldBlock || errno === interrupted
        ? null
        : this.outcome({ kind: 'call', call: 'sendfile', errno });
    }
    if (count === 0) return this.outcome({ kind: 'eof' });
    this.position += count;
    return this.position > this.#end ? this.outcome(null) : null;
  }
}
