import { afterAll, beforeAll, expect, test } from 'bun:test';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { type FileHandle, open, readFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Worker } from 'node:worker_threads';
import { Transfers } from './transfers.ts';

const program = resolve(import.meta.dir, '../../bin/berth.ts');
const directory = mkdtempSync(join(tmpdir(), 'berth-transfers-'));
const pace = { bytes: 1024, milliseconds: 60_000 };
const noWatch = () => (): void => undefined;

let transfers: Transfers;
let server: Server;
beforeAll(async () => {
  transfers = new Transfers({ start: (bell) => new Worker(program, { workerData: { bell } }), most: 2 });
  server = createServer({ pauseOnConnect: true });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
});
afterAll(() => {
  transfers.close();
  server.close();
  rmSync(directory, { recursive: true });
});

/** Both ends of a connection; the server's is not read by anybody else. */
async function connection(): Promise<{ ours: Socket; descriptor: number; theirs: Socket }> {
  const accepted = new Promise<Socket>((done) => server.once('connection', done));
  const theirs = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const ours = await accepted;
  const { fd } = (ours as unknown as { _handle: { fd: number } })._handle;
  return { ours, descriptor: fd, theirs };
}

async function withFile<T>(name: string, work: (file: FileHandle) => Promise<T>): Promise<T> {
  const file = await open(join(directory, name), 'w+');
  try {
    return await work(file);
  } finally {
    await file.close();
  }
}

test('a body becomes a file, its hash goes on with the next one, nothing behind it is read', async () => {
  const bytes = randomBytes(1_000_000);
  const { descriptor, theirs, ours } = await connection();
  const order = { socket: descriptor, isLocal: true, key: 'one', pace };
  await withFile('one', async (file) => {
    theirs.write(bytes);
    const first = { ...order, file: file.fd, position: 0, framing: { kind: 'length', length: 600_000 } } as const;
    expect(await transfers.receive({ ...first, ahead: Buffer.alloc(0) }, noWatch)).toMatchObject({ position: 600_000 });
    const second = { ...first, position: 600_000, framing: { kind: 'length', length: 400_000 } } as const;
    expect(await transfers.receive({ ...second, ahead: Buffer.alloc(0) }, noWatch)).toMatchObject({
      position: 1_000_000,
    });
  });
  expect((await readFile(join(directory, 'one'))).equals(bytes)).toBe(true);
  expect(await transfers.digest('one', 1_000_000)).toBe(createHash('sha256').update(bytes).digest('hex'));
  expect(await transfers.digest('one', 1_000_000)).toBeNull();
  theirs.destroy();
  ours.destroy();
});

test('what was read ahead comes first, what is behind the chunks is given back', async () => {
  const { descriptor, theirs, ours } = await connection();
  const text = '5\r\nhello\r\n6\r\n world\r\n0\r\n\r\nGET / HTTP/1.1\r\n';
  theirs.write(text.slice(9));
  await withFile('two', async (file) => {
    const { position, behind } = await transfers.receive(
      {
        socket: descriptor,
        isLocal: false,
        file: file.fd,
        position: 0,
        framing: { kind: 'chunked' },
        ahead: Buffer.from(text.slice(0, 9)),
        key: 'two',
        pace,
      },
      noWatch,
    );
    expect([position, Buffer.from(behind).toString()]).toEqual([11, 'GET / HTTP/1.1\r\n']);
  });
  expect(await readFile(join(directory, 'two'), 'utf8')).toBe('hello world');
  theirs.destroy();
  ours.destroy();
});

test.each([
  ['SLOW', 100, (): void => undefined],
  ['EOF', 60_000, (theirs: Socket): void => void theirs.end()],
])('breaks off: %s', async (code, milliseconds, act) => {
  const { descriptor, theirs, ours } = await connection();
  theirs.write('some');
  await withFile(code, async (file) => {
    const received = transfers.receive(
      {
        socket: descriptor,
        isLocal: false,
        file: file.fd,
        position: 0,
        framing: { kind: 'length', length: 100 },
        ahead: Buffer.alloc(0),
        key: code,
        pace: { bytes: 10, milliseconds },
      },
      noWatch,
    );
    act(theirs);
    await expect(received).rejects.toMatchObject({ code });
  });
  expect(await readFile(join(directory, code), 'utf8')).toBe('some');
  theirs.destroy();
  ours.destroy();
});

test('a client that takes nothing: cut off by its pace, or by whoever watches', async () => {
  await withFile('big', async (file) => {
    await file.truncate(50_000_000);
    const send = async (milliseconds: number, watch: (leave: () => void) => () => void): Promise<void> => {
      const { descriptor, theirs, ours } = await connection();
      const order = { socket: descriptor, isLocal: true, file: file.fd, start: 0, end: 49_999_999 };
      await transfers.send({ ...order, pace: { bytes: 1, milliseconds } }, watch).finally(() => {
        theirs.destroy();
        ours.destroy();
      });
    };
    await expect(send(100, noWatch)).rejects.toMatchObject({ code: 'SLOW' });
    const leaving = send(60_000, (leave) => {
      setImmediate(leave);
      return () => undefined;
    });
    await expect(leaving).rejects.toMatchObject({ code: 'CANCELLED' });
  });
});

test('where no thread can be started: told once, and no descriptor is left', async () => {
  const failures: unknown[] = [];
  let mayStart = false;
  const some = new Transfers({
    start(bell) {
      if (!mayStart) throw new Error('no thread');
      return new Worker(program, { workerData: { bell } });
    },
    most: 1,
    onFailure: (error) => failures.push(error),
  });
  const descriptors = (): number => readdirSync('/proc/self/fd').length;
  const before = descriptors();
  expect([some.isAvailable, some.isAvailable]).toEqual([false, false]);
  expect([failures, descriptors()]).toEqual([[expect.objectContaining({ message: 'no thread' })], before]);
  mayStart = true;
  expect(some.isAvailable).toBe(true);
  some.close();
});
