import { describe, expect, test } from 'bun:test';
import { paxHeader, type TarEntry, tar } from '../../test/support/tar.ts';
import { ByteReader, readTar, type TarMember, tarEnd, tarHeader, tarPadding } from './tar-stream.ts';

/** The members of an archive that comes in pieces of this size, with what was read of each. */
async function members(archive: Uint8Array, piece: number): Promise<[TarMember, string][]> {
  async function* pieces(): AsyncGenerator<Buffer> {
    // One buffer for all pieces: whoever keeps bytes without copying them sees them change.
    const buffer = Buffer.alloc(piece);
    for (let at = 0; at < archive.length; at += piece) {
      const part = archive.subarray(at, at + piece);
      buffer.set(part);
      yield buffer.subarray(0, part.length);
    }
  }
  const found: [TarMember, string][] = [];
  await readTar(new ByteReader(pieces()), async (member, reader) => {
    const bytes = await reader.exactly(Math.min(member.size, 1000));
    found.push([member, bytes.toString('latin1')]);
    return bytes.length;
  });
  return found;
}

const long = `${'directory/'.repeat(30)}file`;

test.each([1, 100, 512, 1000, 100_000])('members in pieces of %d bytes', async (piece) => {
  const archive = tar([
    { name: './a/', type: '5' },
    { name: './a/b', content: 'hello' },
    { name: 'a/c', content: 'x'.repeat(3000) },
    { name: 'link', type: '2', linkName: 'a/b' },
    { name: 'hard', type: '1', linkName: 'a/b' },
    { name: '././@LongLink', type: 'L', content: `${long}\0` },
    { name: 'short', content: 'long' },
    paxHeader({ path: `pax/${long}`, linkpath: 'of-pax' }),
    { name: 'short', type: '2' },
  ]);
  const found = (await members(archive, piece)).map(([member, content]) => [
    member.type,
    member.path,
    member.link,
    member.size,
    content.length,
  ]);
  expect(found).toEqual([
    ['directory', 'a', '', 0, 0],
    ['file', 'a/b', '', 5, 5],
    ['file', 'a/c', '', 3000, 1000],
    ['symlink', 'link', 'a/b', 0, 0],
    ['link', 'hard', 'a/b', 0, 0],
    ['file', long, '', 4, 4],
    ['symlink', `pax/${long}`, 'of-pax', 0, 0],
  ]);
});

describe('refused', () => {
  const one = (entry: TarEntry): Uint8Array => tar([entry], { end: false });
  const cases: [string, Uint8Array, string][] = [
    ['cut in a header', one({ name: 'a' }).subarray(0, 200), 'unexpected EOF'],
    ['cut in the contents', one({ name: 'a', content: 'x'.repeat(900) }).subarray(0, 1000), 'unexpected EOF'],
    ['wrong sum', Buffer.alloc(512, 'x'), 'invalid tar header'],
    ['long name without end', one({ name: 'L', type: 'L', size: 2 * 1024 * 1024 }), 'header field too long'],
    ['size that is no number', tar([paxHeader({ size: 'many' }), { name: 'a' }]), 'invalid tar header'],
    [
      'PAX record that lies',
      tar([{ name: 'x', type: 'x', content: '99 path=a\n' }, { name: 'a' }]),
      'invalid tar header',
    ],
  ];
  test.each(cases)('%s', async (_name, archive, message) => {
    await expect(members(archive, 512)).rejects.toMatchObject({
      kind: 'invalid',
      message: expect.stringContaining(message),
    });
  });
});

test('what is written is read, and by GNU tar too', async () => {
  const header = tarHeader({ path: 'blobs/sha256/x', type: 'file', size: 5, mtime: 1_700_000_000 });
  const archive = Buffer.concat([
    tarHeader({ path: 'blobs/', type: 'directory', size: 0, mtime: 0 }),
    header,
    Buffer.from('hello'),
    tarPadding(5),
    tarEnd(),
  ]);
  expect((await members(archive, 512)).map(([member, content]) => [member.path, content])).toEqual([
    ['blobs', ''],
    ['blobs/sha256/x', 'hello'],
  ]);
  const listed = Bun.spawnSync(['tar', '-tv', '--utc', '-f', '-'], { stdin: archive }).stdout.toString();
  expect(listed).toContain('2023-11-14 22:13 blobs/sha256/x');
});

test('a size beyond eight gigabytes is written in base 256', async () => {
  const size = 2 ** 40 + 5;
  const read: number[] = [];
  const reader = new ByteReader(
    (async function* () {
      yield tarHeader({ path: 'huge', type: 'file', size, mtime: 0 });
    })(),
  );
  const reading = readTar(reader, async (member) => {
    read.push(member.size);
    return member.size;
  });
  await expect(reading).rejects.toThrow('unexpected EOF');
  expect(read).toEqual([size]);
});
