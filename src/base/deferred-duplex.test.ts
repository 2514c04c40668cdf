import { expect, test } from 'bun:test';
import { Duplex, PassThrough, Readable } from 'node:stream';
import { DeferredDuplex } from './deferred-duplex.ts';

async function textOf(stream: Readable): Promise<string> {
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  return text;
}

/** A stream whose two halves are not joined. */
function pair(): { duplex: Duplex; written: PassThrough; answer: PassThrough } {
  const written = new PassThrough();
  const answer = new PassThrough();
  const duplex = new Duplex({
    allowHalfOpen: true,
    read: () => {
      answer.resume();
    },
    write: (chunk, _encoding, done) => {
      if (written.write(chunk)) done();
      else written.once('drain', done);
    },
    final: (done) => {
      written.end();
      done();
    },
  });
  answer.on('data', (chunk) => {
    if (!duplex.push(chunk)) answer.pause();
  });
  answer.on('end', () => duplex.push(null));
  return { duplex, written, answer };
}

test('what is written before the connection arrives after it, half-close included', async () => {
  const stream = new DeferredDuplex();
  stream.end('early');
  const { duplex, written, answer } = pair();
  stream.connect(duplex);
  expect(await textOf(written)).toBe('early');
  answer.end('late');
  expect(await textOf(stream)).toBe('late');
});

test('a prelude comes first', async () => {
  const stream = new DeferredDuplex();
  const { duplex, answer } = pair();
  answer.end('live');
  stream.play(Readable.from([Buffer.from('past ')]), () => stream.connect(duplex));
  expect(await textOf(stream)).toBe('past live');
});

test('without a stream reading ends', async () => {
  const stream = new DeferredDuplex();
  stream.connect(null);
  expect(await textOf(stream)).toBe('');
});

test('the end waits for what must be known before it', async () => {
  const stream = new DeferredDuplex();
  const { duplex, answer } = pair();
  const before = Promise.withResolvers<void>();
  let known = false;
  stream.connect(duplex, before.promise);
  answer.end('x');
  const text = textOf(stream).then((all) => [all, known]);
  known = true;
  before.resolve();
  expect(await text).toEqual(['x', true]);
});

test('a slow reader holds the writer back, and nothing is lost', async () => {
  const stream = new DeferredDuplex();
  const { duplex, answer } = pair();
  stream.connect(duplex);
  const chunk = Buffer.alloc(64 * 1024, 1);
  const total = 100;
  void (async () => {
    for (let sent = 0; sent < total; sent++) {
      if (!answer.write(chunk)) await new Promise((resolve) => answer.once('drain', resolve));
    }
    answer.end();
  })();
  let received = 0;
  for await (const part of stream) {
    received += (part as Buffer).length;
    expect(stream.readableLength).toBeLessThan(1024 * 1024);
  }
  expect(received).toBe(total * chunk.length);
});

test('one that was given up destroys the stream that comes too late', () => {
  const stream = new DeferredDuplex();
  stream.destroy();
  const { duplex } = pair();
  stream.connect(duplex);
  expect(duplex.destroyed).toBe(true);
});
