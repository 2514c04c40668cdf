/** Archives that lie: each is refused with a reason, or does its harm inside its own tree only; nothing outside ever changes. */
import { describe, expect, test } from 'bun:test';
import { existsSync, lstatSync, mkdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { listTree, xattrs } from '../support/file-tree.ts';
import { helper, rebuild, scratch, unpackLayer } from '../support/native-helper.ts';
import { paxHeader, type TarEntry, tar } from '../support/tar.ts';

/** Exit code for what is the archive's fault. */
const invalid = 65;

/** Unpacks beside a canary; gives the layer's directory, the result, and whether everything outside is as it was. */
async function unpack(archive: Uint8Array, path: string) {
  mkdirSync(`${path}/outside`);
  writeFileSync(`${path}/outside/canary`, 'alive');
  const before = listTree(`${path}/outside`);
  const layer = `${path}/layer`;
  const result = await unpackLayer(layer, archive);
  expect(listTree(`${path}/outside`)).toEqual(before);
  return { ...result, layer, diff: `${layer}/diff` };
}

const pax = (records: Record<string, string>, entry: TarEntry): TarEntry[] => [paxHeader(records), entry];

describe('refused', () => {
  const huge = Buffer.alloc(1024 * 1024 + 513, 'x');
  const cases: [name: string, archive: Uint8Array, message: string][] = [
    ['.. at the start', tar([{ name: '../canary', content: 'x' }]), 'a name leads outside of the layer: ../canary'],
    ['.. in the middle', tar([{ name: 'a/../../canary', content: 'x' }]), 'leads outside'],
    ['.. in a PAX path', tar(pax({ path: '../../canary' }, { name: 'x', content: 'x' })), 'leads outside'],
    ['hard link to ..', tar([{ name: 'l', type: '1', linkName: '../outside/canary' }]), 'leads outside'],
    [
      'hard link to nothing',
      tar([{ name: 'l', type: '1', linkName: '/outside/canary' }]),
      'hard link to outside/canary',
    ],
    [
      'hard link to a directory',
      tar([
        { name: 'd', type: '5' },
        { name: 'l', type: '1', linkName: 'd' },
      ]),
      'hard link to d',
    ],
    ['size that lies', tar([{ name: 'f', content: 'x', size: 100_000 }], { end: false }), 'unexpected EOF'],
    ['size beyond the address space', tar(pax({ size: '9223372036854775807' }, { name: 'f' })), 'PAX records'],
    ['negative size', tar(pax({ size: '-1' }, { name: 'f' })), 'invalid tar header'],
    ['cut in a header', tar([{ name: 'f', content: 'x' }]).subarray(0, 300), 'unexpected EOF'],
    ['cut in the contents', tar([{ name: 'f', content: 'x'.repeat(2000) }]).subarray(0, 1500), 'unexpected EOF'],
    ['cut behind a meta header', tar([paxHeader({ path: 'x' })], { end: false }), 'unexpected EOF'],
    ['wrong sum', corrupt(tar([{ name: 'f', content: 'x' }]), 0), 'invalid tar header'],
    ['one zero block, then more', between(), 'invalid tar header'],
    [
      'file as a parent',
      tar([
        { name: 'f', content: 'x' },
        { name: 'f/g', content: 'y' },
      ]),
      'Not a directory',
    ],
    ['name too long', tar([{ name: 'L', type: 'L', content: `${'a'.repeat(300)}\0` }, { name: 'x' }]), 'name too long'],
    [
      'path too long',
      tar([{ name: 'L', type: 'L', content: `${'a/'.repeat(4000)}\0` }, { name: 'x' }]),
      'name too long',
    ],
    ['meta header too long', tar([{ name: 'x', type: 'x', content: huge }]), 'a meta header of 1049089 bytes'],
    ['PAX record without a length', tar([{ name: 'x', type: 'x', content: 'path=x\n' }, { name: 'f' }]), 'PAX records'],
    [
      'PAX record longer than all',
      tar([{ name: 'x', type: 'x', content: '999 path=x\n' }, { name: 'f' }]),
      'PAX records',
    ],
    [
      'PAX length that overflows',
      tar([{ name: 'x', type: 'x', content: `${'9'.repeat(40)} path=x\n` }, { name: 'f' }]),
      'PAX records',
    ],
    ['NUL in a path', tar(pax({ path: 'a\0b' }, { name: 'x' })), 'PAX records'],
    ['type that is none', tar([{ name: 'f', type: 'Z' }]), 'unhandled tar header type'],
    ['whiteout of nothing', tar([{ name: 'd/.wh.' }]), 'whiteout d/.wh.'],
    ['whiteout of ..', tar([{ name: 'd/.wh...' }]), 'whiteout d/.wh...'],
    ['root that is a file', tar([{ name: './', type: '2', linkName: '/outside' }]), 'the root is no directory'],
    ['symlink that is empty', tar([{ name: 'l', type: '2', linkName: '' }]), 'make l'],
    [
      'loop of links as a parent',
      tar([
        { name: 'a', type: '2', linkName: 'b' },
        { name: 'b', type: '2', linkName: 'a' },
        { name: 'a/f', content: 'x' },
      ]),
      'open a',
    ],
    ['sparse map beyond the file', sparse('0,4,100,4', 50, 'datadata'), 'sparse map'],
    ['sparse map that overlaps', sparse('0,4,2,4', 50, 'datadata'), 'sparse map'],
    ['sparse map larger than the payload', sparse('0,4,10,400', 5000, 'datadata'), 'sparse map'],
    ['sparse map that overflows', sparse('9223372036854775800,9', 50, ''), 'PAX records'],
    ['sparse map of an odd number', sparse('0,4,10', 50, 'data'), 'PAX records'],
  ];
  test.concurrent.each(cases)('%s', async (_name, archive, message) => {
    using directory = scratch('hostile');
    const result = await unpack(archive, directory.path);
    expect(result.message).toContain(message);
    expect(result.code).toBe(invalid);
  });

  test('devices, where they are not allowed', async () => {
    using directory = scratch('hostile');
    for (const type of ['3', '4']) {
      const archive = tar([{ name: 'bomb', type, major: 8, minor: 0 }]);
      const result = await helper(['unpack', '--no-devices', '--plain', directory.path], { input: archive });
      expect(result).toMatchObject({ code: invalid, message: 'invalid archive: device bomb' });
    }
    expect(existsSync(`${directory.path}/bomb`)).toBe(false);
  });
});

function corrupt(archive: Uint8Array, at: number): Uint8Array {
  const bytes = Buffer.from(archive);
  bytes[at] = (bytes[at] as number) ^ 1;
  return bytes;
}

function between(): Uint8Array {
  const one = tar([{ name: 'f', content: 'x' }], { end: false });
  return Buffer.concat([one, Buffer.alloc(512), one]);
}

function sparse(map: string, size: number, content: string): Uint8Array {
  const records = { 'GNU.sparse.size': String(size), 'GNU.sparse.map': map, 'GNU.sparse.name': 'f' };
  return tar(pax(records, { name: 'GNUSparseFile.0/f', content }));
}

describe('kept inside', () => {
  test('absolute names lie below the root', async () => {
    using directory = scratch('hostile');
    const archive = tar([
      { name: '/etc/passwd', content: 'x' },
      { name: '///./a//b', content: 'y' },
    ]);
    const { code, diff } = await unpack(archive, directory.path);
    expect(code).toBe(0);
    expect(readFileSync(`${diff}/etc/passwd`, 'utf8')).toBe('x');
    expect(readFileSync(`${diff}/a/b`, 'utf8')).toBe('y');
  });

  test('a link as a parent is followed inside the tree only', async () => {
    using directory = scratch('hostile');
    const outside = `${directory.path}/outside`;
    const archive = tar([
      { name: 'real', type: '5' },
      { name: 'up', type: '2', linkName: '../../../../../../..' },
      { name: 'up/through-up', content: '1' },
      { name: 'abs', type: '2', linkName: outside },
      { name: outside, type: '5' },
      { name: 'abs/through-abs', content: '2' },
      { name: 'rel', type: '2', linkName: 'real' },
      { name: 'rel/through-rel', content: '3' },
    ]);
    const { code, diff, layer } = await unpack(archive, directory.path);
    expect(code).toBe(0);
    expect(readFileSync(`${diff}/through-up`, 'utf8')).toBe('1');
    expect(readFileSync(`${diff}${outside}/through-abs`, 'utf8')).toBe('2');
    expect(readFileSync(`${diff}/real/through-rel`, 'utf8')).toBe('3');
    expect(Buffer.from(archive).equals(await rebuild(layer))).toBe(true);
  });

  test('an entry replaces a link, it never writes through it', async () => {
    using directory = scratch('hostile');
    const target = `${directory.path}/outside/canary`;
    const archive = tar([
      { name: 'l', type: '2', linkName: target },
      { name: 'l', content: 'mine' },
      { name: 'd', type: '2', linkName: `${directory.path}/outside` },
      { name: 'd', type: '5', mode: 0o700 },
      { name: 'd/f', content: 'also mine' },
      { name: 'fifo', type: '6' },
      { name: 'fifo', content: 'no fifo any more' },
    ]);
    const { code, diff } = await unpack(archive, directory.path);
    expect(code).toBe(0);
    expect(lstatSync(`${diff}/l`).isFile()).toBe(true);
    expect(readFileSync(`${diff}/d/f`, 'utf8')).toBe('also mine');
    expect(readFileSync(`${diff}/fifo`, 'utf8')).toBe('no fifo any more');
  });

  test('a symlink may say what it likes', async () => {
    using directory = scratch('hostile');
    const archive = tar([{ name: 'l', type: '2', linkName: '../../../etc/shadow' }]);
    const { code, diff } = await unpack(archive, directory.path);
    expect(code).toBe(0);
    expect(readlinkSync(`${diff}/l`)).toBe('../../../etc/shadow');
  });

  test('attributes of overlay are not the archive’s to set', async () => {
    using directory = scratch('hostile');
    const records = {
      'SCHILY.xattr.trusted.overlay.redirect': '/secret',
      'SCHILY.xattr.trusted.overlay.opaque': 'y',
      'SCHILY.xattr.user.mine': 'kept',
    };
    const { diff } = await unpack(tar(pax(records, { name: 'd', type: '5' })), directory.path);
    expect(xattrs(`${diff}/d`)).toEqual({ 'user.mine': 'kept' });
  });

  test('a file of a size that no disk has costs no disk', async () => {
    using directory = scratch('hostile');
    const { code, diff } = await unpack(sparse('0,4', 8 * 1024 ** 4, 'data'), directory.path);
    expect(code).toBe(0);
    expect(lstatSync(`${diff}/f`).size).toBe(8 * 1024 ** 4);
    expect(lstatSync(`${diff}/f`).blocks).toBeLessThan(64);
  });

  test('a tree deeper than any path', async () => {
    using directory = scratch('hostile');
    const level = `${'d'.repeat(100)}/`.repeat(35);
    const entries: TarEntry[] = [
      { name: 'L', type: 'L', content: `${level}\0` },
      { name: 'x', type: '5' },
    ];
    // Each link leads to the bottom of the last, so that names stay short.
    for (let index = 0; index < 8; index++) {
      const bottom = index === 0 ? level : `s${index - 1}/${level}`;
      entries.push({ name: 'K', type: 'K', content: `${bottom.slice(0, -1)}\0` }, { name: `s${index}`, type: '2' });
      entries.push({ name: 'L', type: 'L', content: `s${index}/${level}\0` }, { name: 'x', type: '5' });
    }
    const result = await unpack(tar(entries), directory.path);
    expect([0, invalid]).toContain(result.code);
    expect((await helper(['remove', result.layer])).code).toBe(0);
    expect(existsSync(result.layer)).toBe(false);
  });
});

describe('whiteouts', () => {
  test('become what overlay knows, whatever stood there', async () => {
    using directory = scratch('hostile');
    const archive = tar([
      { name: 'd/.wh.gone' },
      { name: 'o/.wh..wh..opq' },
      { name: 'o/new', content: 'n' },
      { name: 'same', content: 'first' },
      { name: '.wh.same' },
      { name: 'again/f', content: 'f' },
      { name: '.wh.again' },
      { name: 'again', type: '5' },
      { name: '.wh..wh.aufs', content: 'metadata of aufs' },
    ]);
    const { code, diff, layer } = await unpack(archive, directory.path);
    expect(code).toBe(0);
    for (const name of ['d/gone', 'same'])
      expect(lstatSync(`${diff}/${name}`)).toMatchObject({ rdev: 0, mode: 0o020000 });
    expect(xattrs(`${diff}/o`)).toEqual({ 'trusted.overlay.opaque': 'y' });
    expect(xattrs(`${diff}/again`)).toEqual({ 'trusted.overlay.opaque': 'y' });
    expect(existsSync(`${diff}/.wh..wh.aufs`)).toBe(false);
    expect(Buffer.from(archive).equals(await rebuild(layer))).toBe(true);
  });

  test('go back into a tar as they came', async () => {
    using directory = scratch('hostile');
    const { diff } = await unpack(tar([{ name: 'd/.wh.gone' }, { name: 'o/.wh..wh..opq' }]), directory.path);
    await Bun.write(`${directory.path}/out.tar`, new Uint8Array((await helper(['pack', diff])).stdout));
    const names = Bun.spawnSync(['tar', '-tf', `${directory.path}/out.tar`])
      .stdout.toString()
      .trim()
      .split('\n');
    expect(names).toEqual(['d/', 'd/.wh.gone', 'o/', 'o/.wh..wh..opq']);
  });
});

test('contents that a later entry replaces are still in the tar that is made again', async () => {
  using directory = scratch('hostile');
  const archive = tar([
    { name: 'f', content: 'one' },
    { name: 'f', content: 'two' },
    { name: 'h', type: '1', linkName: 'f' },
    { name: 'h', content: 'three' },
    { name: 'f', content: 'four' },
    { name: 'd/a/b', content: 'five' },
    { name: 'd/c', content: 'six' },
    { name: 'd', content: 'no directory' },
    { name: 'r', type: '5' },
    { name: 'r/x', content: 'seven' },
    { name: 's', type: '2', linkName: 'r' },
    { name: 's/x', content: 'eight' },
    { name: 's', type: '5' },
    { name: 's/x', content: 'nine' },
  ]);
  const { code, diff, layer } = await unpack(archive, directory.path);
  expect(code).toBe(0);
  const contents = ['f', 'h', 'd', 'r/x', 's/x'].map((name) => readFileSync(`${diff}/${name}`, 'utf8'));
  expect(contents).toEqual(['four', 'three', 'no directory', 'eight', 'nine']);
  expect(Buffer.from(archive).equals(await rebuild(layer))).toBe(true);
});
