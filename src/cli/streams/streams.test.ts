import { describe, expect, test } from 'bun:test';
import type { ByteReader } from '../../client/transport/transport.ts';
import { encodeFrame, type StreamNumber } from '../../wire/stdcopy.ts';
import { DetachWatcher, parseDetachKeys } from './detach-keys.ts';
import { copyFrames } from './frames.ts';
import { runSession } from './session.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (data: string | Uint8Array): string => (typeof data === 'string' ? data : new TextDecoder().decode(data));

describe('detach keys', () => {
  test('are read', () => {
    expect([...parseDetachKeys('ctrl-p,ctrl-q')]).toEqual([16, 17]);
    expect([...parseDetachKeys('a,ctrl-[')]).toEqual([97, 27]);
    expect(() => parseDetachKeys('ctrl-p,foo')).toThrow('invalid detach keys');
  });

  test.each([
    [['ab\x10\x11cd'], 'ab', true],
    [['ab\x10', '\x11'], 'ab', true],
    [['\x10x'], '\x10x', false],
    [['\x10', 'x'], '\x10x', false],
    [['\x10\x10\x11'], '\x10', true],
    [['\x11'], '\x11', false],
  ])('in %j', (typed, passed, detached) => {
    const watcher = new DetachWatcher(parseDetachKeys('ctrl-p,ctrl-q'));
    let seen = '';
    let left = false;
    for (const piece of typed) {
      const result = watcher.feed(bytes(piece));
      seen += text(result.pass);
      left ||= result.detached;
    }
    expect({ seen, left }).toEqual({ seen: passed, left: detached });
  });
});

function readerOf(chunks: Uint8Array[]): ByteReader {
  const waiting = [...chunks];
  return { take: () => undefined, read: async () => waiting.shift() ?? null };
}

function collector() {
  const seen: string[] = [];
  return {
    seen,
    async write(data: string | Uint8Array): Promise<void> {
      seen.push(text(data));
    },
  };
}

describe('frames', () => {
  const frames: [StreamNumber, string][] = [
    [1, 'one\n'],
    [1, 'two\n'],
    [2, 'bad\n'],
    [1, 'three\n'],
  ];
  const wire = Buffer.concat(frames.map(([stream, payload]) => encodeFrame(stream, bytes(payload))));

  test.each([1, 3, 8, 9, 1000])('cut every %p bytes', async (step) => {
    const chunks: Uint8Array[] = [];
    for (let at = 0; at < wire.length; at += step) chunks.push(new Uint8Array(wire.subarray(at, at + step)));
    const out = collector();
    const err = collector();
    await copyFrames(readerOf(chunks), { out, err });
    expect(out.seen.join('')).toBe('one\ntwo\nthree\n');
    expect(err.seen.join('')).toBe('bad\n');
  });

  test('lines of one stream go out together, the order of streams is kept', async () => {
    const order: string[] = [];
    const out = { write: async (data: string | Uint8Array) => void order.push(`1:${text(data)}`) };
    const err = { write: async (data: string | Uint8Array) => void order.push(`2:${text(data)}`) };
    await copyFrames(readerOf([new Uint8Array(wire)]), { out, err });
    expect(order).toEqual(['1:one\ntwo\n', '2:bad\n', '1:three\n']);
  });

  test("an engine's error in the stream is an error here", async () => {
    const wireError = encodeFrame(3, bytes('disk gone'));
    await expect(copyFrames(readerOf([wireError]), { out: undefined, err: undefined })).rejects.toThrow(
      'error from daemon in stream: disk gone',
    );
  });
});

describe('session', () => {
  function session(typed: string[], output: Promise<void>) {
    const sent: string[] = [];
    let closed = false;
    const stream = {
      status: 101,
      headers: {},
      take: () => undefined,
      read: async () => {
        await output;
        return null;
      },
      write: async (data: Uint8Array) => void sent.push(text(data)),
      end: () => void sent.push('<end>'),
      close: () => {
        closed = true;
      },
    };
    async function* input() {
      for (const piece of typed) yield bytes(piece);
    }
    const end = runSession({
      stream,
      tty: true,
      input: input(),
      outputs: { out: undefined, err: undefined },
      detachKeys: parseDetachKeys('ctrl-p,ctrl-q'),
    });
    return { end, sent, isClosed: () => closed };
  }

  test('the end of the input is a half-close; the end of the output ends the session', async () => {
    const output = Promise.withResolvers<void>();
    const running = session(['a', 'b'], output.promise);
    while (!running.sent.includes('<end>')) await Promise.resolve();
    output.resolve();
    expect(await running.end).toBe('ended');
    expect(running.sent).toEqual(['a', 'b', '<end>']);
    expect(running.isClosed()).toBe(true);
  });

  test('the keys detach, nothing behind them is sent', async () => {
    const running = session(['ls\r\x10', '\x11more'], new Promise(() => undefined));
    expect(await running.end).toBe('detached');
    expect(running.sent).toEqual(['ls\r']);
  });
});
