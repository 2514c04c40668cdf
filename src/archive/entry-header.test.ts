import { expect, test } from 'bun:test';
import { entryHeader, type TarEntry } from './entry-header.ts';

const file: TarEntry = {
  ...{ type: 'file', path: 'a/b', link: '', mode: 0o4755, uid: 1000, gid: 100, size: 5000 },
  ...{ mtime: 1_000_000_000_000_000_000n, device: 0 },
};

/** Text of a field, up to its end. */
function field(header: Buffer, offset: number, length: number): string {
  return header.toString('latin1', offset, offset + length).replace(/\0.*$/s, '');
}

function checksum(header: Buffer): number {
  const blank = Buffer.from(header.subarray(0, 512)).fill(' ', 148, 156);
  return blank.reduce((sum, byte) => sum + byte, 0);
}

test('an entry whose fields fit has one block', () => {
  const header = entryHeader({ ...file, type: 'character', device: 0x12345678, link: '\xff' });
  expect(header.length).toBe(512);
  const fields = [field(header, 0, 100), field(header, 100, 8), field(header, 108, 8), field(header, 116, 8)];
  expect(fields).toEqual(['a/b', '0004755', '0001750', '0000144']);
  expect([field(header, 124, 12), field(header, 136, 12)]).toEqual(['00000011610', '07346545000']);
  expect(header.toString('latin1', 257, 265)).toBe('ustar\x0000');
  expect([field(header, 156, 1), field(header, 157, 100)]).toEqual(['3', '\xff']);
  expect([field(header, 329, 8), field(header, 337, 8)]).toEqual(['0002126', '0221570']);
  expect(header.toString('latin1', 148, 156)).toBe(`${checksum(header).toString(8).padStart(6, '0')}\0 `);
});

test('what does not fit stands in an extended header, counted with its own digits', () => {
  const long = 'd'.repeat(120);
  const big: TarEntry = { ...file, type: 'directory', path: long, uid: 8 ** 7, size: 0, mtime: -1_500_000_000n };
  const header = entryHeader(big);
  expect(header.length).toBe(3 * 512);
  expect([field(header, 0, 100), field(header, 156, 1)]).toEqual(['PaxHeaders/entry', 'x']);
  const records = `131 path=${long}/\n15 uid=2097152\n14 mtime=-1.5\n`;
  expect(field(header, 124, 12)).toBe(records.length.toString(8).padStart(11, '0'));
  expect(field(header, 512, 512)).toBe(records);
  const own = header.subarray(1024);
  expect([field(own, 0, 100), field(own, 108, 8), field(own, 136, 12)]).toEqual([
    long.slice(0, 100),
    '0000000',
    '00000000000',
  ]);
  for (const one of [header, own])
    expect(one.toString('latin1', 148, 156)).toBe(`${checksum(one).toString(8).padStart(6, '0')}\0 `);
});
