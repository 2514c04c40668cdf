/** The registry's threads for bodies: the same program, in a thread that does nothing else. */
import { parentPort, receiveMessageOnPort, Worker, workerData } from 'node:worker_threads';
import { failpoint } from '../../base/failpoint.ts';
import { Mover } from '../../host/transfer/mover.ts';
import type { Order } from '../../host/transfer/orders.ts';
import { BodyDecoder } from '../../server/http/body-decoder.ts';

/** Starts one; `bin/berth.ts` brings it to `runTransferThread`. */
export function startTransferThread(bell: number): Worker {
  void failpoint('thread.start');
  return new Worker(Bun.main, { workerData: { bell } });
}

/** Ends when it is told to. */
export function runTransferThread(): void {
  const port = parentPort;
  if (!port) throw new Error('this is no thread');
  new Mover({
    bell: (workerData as { bell: number }).bell,
    nextOrder: () => (receiveMessageOnPort(port)?.message as Order | undefined) ?? null,
    answer: (outcome) => port.postMessage(outcome),
    makeDecoder: () => new BodyDecoder({ kind: 'chunked' }),
  }).run();
}
