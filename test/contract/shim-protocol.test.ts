/** A container keeps the shim that it was started with: an engine of another version must come to terms with it. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { encodeFrame, encodeId, type Frame, FrameReader } from '../../src/supervisor/frames.ts';
import { protocol } from '../../src/supervisor/protocol.ts';
import { until } from '../support/until.ts';
import { type ShimHarness, shimHarness } from './shim-harness.ts';

let harness: ShimHarness;
beforeAll(() => {
  harness = shimHarness();
});
afterAll(() => harness.close());

interface Peer {
  socket: Socket;
  frames: Frame[];
  closed: boolean;
}

function dial(directory: string): Peer {
  const reader = new FrameReader();
  const peer: Peer = { socket: connect(join(directory, 'shim.sock')), frames: [], closed: false };
  peer.socket.on('data', (chunk: Buffer) => peer.frames.push(...reader.push(chunk)));
  peer.socket.on('error', () => undefined); // 'close' follows
  peer.socket.on('close', () => {
    peer.closed = true;
  });
  return peer;
}

function version(number: number): Buffer {
  return Buffer.from([number & 0xff, number >> 8]);
}

test('an engine of a later version is told the version, and what is unknown is refused and harms nothing', async () => {
  const spec = harness.container({ kind: 'wait' });
  await harness.supervisor.start(spec);
  const peer = dial(spec.directory);
  peer.socket.write(encodeFrame(protocol.openControl, version(999)));
  peer.socket.write(encodeFrame(4711, Buffer.from('what is this'), 7));
  const answer = await until('the answer', () => peer.frames.find((frame) => frame.type === protocol.result));
  expect(peer.frames.map((frame) => frame.type)).toEqual([protocol.hello, protocol.started, protocol.result]);
  expect(peer.frames[0]!.payload).toEqual(version(protocol.version));
  expect(answer.request).toBe(7);
  const invalidArgument = 22;
  expect(answer.payload.readUInt32LE(0)).toBe(invalidArgument);
  peer.socket.destroy();

  await harness.supervisor.signal(spec.id, null, 9);
  await harness.exited(spec.id);
  await harness.supervisor.cleanUp(spec.id, spec.directory);
});

test('garbage closes its connection and nothing else', async () => {
  const spec = harness.container({ kind: 'wait' });
  await harness.supervisor.start(spec);
  const tooLong = Buffer.alloc(8);
  tooLong.writeUInt32LE(0xffff_ffff, 0);
  const openings = [
    tooLong,
    encodeFrame(4711, version(1)),
    encodeFrame(protocol.openControl, Buffer.alloc(1)),
    encodeFrame(protocol.openAttach, version(1)),
    encodeFrame(protocol.openExec, version(1)),
    encodeFrame(protocol.signal, encodeId(null)),
  ];
  for (const opening of openings) {
    const peer = dial(spec.directory);
    peer.socket.write(opening);
    await until('the shim to hang up', () => peer.closed);
    expect(peer.frames).toEqual([]);
  }
  // A request without its arguments is an error of that request.
  const peer = dial(spec.directory);
  peer.socket.write(encodeFrame(protocol.openControl, version(1)));
  peer.socket.write(encodeFrame(protocol.signal, Buffer.alloc(3), 1));
  await until('the refusal', () => peer.frames.some((frame) => frame.type === protocol.result));
  peer.socket.destroy();

  await harness.supervisor.signal(spec.id, null, 9);
  expect((await harness.exited(spec.id)).code).toBe(137);
  await harness.supervisor.cleanUp(spec.id, spec.directory);
});
