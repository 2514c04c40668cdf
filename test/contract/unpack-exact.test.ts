/** A tree with everything in it goes through tar and back, and nothing about it changes; and each tar is made again bit by bit. */
import { describe, expect, test } from 'bun:test';
import {
  chmodSync,
  chownSync,
  closeSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  openSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { runOk } from '../support/command.ts';
import { bytes, join, listTree, makeNode, setTime, setXattr, xattrs } from '../support/file-tree.ts';
import { helper, rebuild, scratch, unpackLayer } from '../support/native-helper.ts';

const latin = (name: string): Buffer => Buffer.from(name, 'latin1');

/** One of everything that a file system can hold and a tar can tell. */
function makeEverything(root: string): void {
  mkdirSync(`${root}/etc`, { recursive: true });
  writeFileSync(`${root}/etc/plain`, 'plain\n');
  writeFileSync(`${root}/empty`, '');
  writeFileSync(`${root}/setuid`, '#!');
  chownSync(`${root}/setuid`, 1000, 42);
  chmodSync(`${root}/setuid`, 0o6755);
  writeFileSync(`${root}/far-owner`, 'x');
  chownSync(`${root}/far-owner`, 3_000_000_000, 3_000_000_001);
  linkSync(`${root}/etc/plain`, `${root}/etc/hard`);
  linkSync(`${root}/etc/plain`, `${root}/hard-elsewhere`);
  symlinkSync('../outside/../../..', `${root}/etc/relative`);
  symlinkSync('/etc/passwd', `${root}/absolute`);
  symlinkSync('t'.repeat(3000), `${root}/long-target`);
  const long = `${root}/${'d'.repeat(200)}/${'e'.repeat(200)}`;
  mkdirSync(long, { recursive: true });
  writeFileSync(`${long}/${'f'.repeat(200)}`, 'deep');
  makeNode(`${root}/fifo`, 0o010600);
  makeNode(`${root}/character`, 0o020666, 1, 3);
  makeNode(`${root}/block`, 0o060640, 259, 70_000);
  writeFileSync(join(bytes(root), latin('not\xffutf8')), 'bytes');
  mkdirSync(join(bytes(root), latin('d\xefr')));
  writeFileSync(join(bytes(root), latin('d\xefr/\x01\n')), 'odd');
  sparse(`${root}/holes`, 40 * 1024 * 1024, [0, 5_000_001, 20_000_000]);
  sparse(`${root}/all-hole`, 3_000_000, []);
  sparse(`${root}/hole-first`, 9_000_000, [8_999_990]);
  writeFileSync(`${root}/attributes`, 'a');
  setXattr(`${root}/attributes`, 'user.text', 'va=lue\nwith\nlines');
  setXattr(`${root}/attributes`, 'user.bytes', Buffer.from([0, 1, 2, 255, 0]));
  setXattr(`${root}/attributes`, 'user.empty', '');
  setXattr(`${root}/attributes`, 'trusted.other', 'kept');
  setXattr(`${root}/setuid`, 'security.capability', capability);
  mkdirSync(`${root}/sticky`);
  writeFileSync(`${root}/sticky/inside`, 'group of its own');
  chownSync(`${root}/sticky`, 0, 50);
  chmodSync(`${root}/sticky`, 0o3777);
  setXattr(`${root}/sticky`, 'user.of-a-directory', 'yes');
  setTime(`${root}/etc/relative`, 915_152_400n, 123_456_789n);
  setTime(`${root}/empty`, -1000n, 250_000_000n);
  setTime(`${root}/fifo`, 4_000_000_000n, 1n);
  setTime(`${root}/etc`, 1_000_000_000n, 999_999_999n);
  setTime(`${root}/sticky`, 1n, 5n);
  setTime(root, 1_100_000_000n, 300_000_000n);
}

/** cap_net_raw+ep, version 2. */
const capability = Buffer.from('0100000200200000000000000000000000000000', 'hex');

function sparse(path: string, size: number, data: number[]): void {
  const file = openSync(path, 'w');
  for (const offset of data) writeSync(file, 'data', offset);
  ftruncateSync(file, size);
  closeSync(file);
}

const gnuTar = (root: string, ...options: string[]): string[] => [
  ...['tar', '-C', root, '--xattrs', '--xattrs-include=*', '--format=pax', '-cf', '-', ...options, '.'],
];

async function output(command: string[]): Promise<Buffer> {
  const child = Bun.spawn(command, { stdout: 'pipe', stderr: 'pipe' });
  const bytes = Buffer.from(await new Response(child.stdout).arrayBuffer());
  if ((await child.exited) !== 0) throw new Error(await new Response(child.stderr).text());
  return bytes;
}

describe('a tree through a tar and back is the same tree, and the tar can be made again', () => {
  const ways: [string, (root: string) => Promise<Buffer>][] = [
    ['our own tar', async (root) => (await helper(['pack', '--root', root])).stdout],
    ['GNU tar, pax', (root) => output(gnuTar(root))],
    ['GNU tar, sparse 0.0', (root) => output(gnuTar(root, '-S', '--sparse-version=0.0'))],
    ['GNU tar, sparse 0.1', (root) => output(gnuTar(root, '-S', '--sparse-version=0.1'))],
    ['GNU tar, sparse 1.0', (root) => output(gnuTar(root, '-S', '--sparse-version=1.0'))],
  ];
  test.each(ways)('%s', async (name, pack) => {
    using directory = scratch('exact');
    const root = `${directory.path}/tree`;
    makeEverything(root);
    const archive = await pack(root);
    const layer = `${directory.path}/layer`;
    expect(await unpackLayer(layer, archive)).toMatchObject({ code: 0, message: '' });
    const hasHoles = name !== 'GNU tar, pax';
    const facts = (line: string): string => (hasHoles ? line : line.replace(/ holes /, ' whole '));
    expect(listTree(`${layer}/diff`).map(facts)).toEqual(listTree(root).map(facts));
    expect((await rebuild(layer)).equals(archive)).toBe(true);
  });

  test('GNU tar reads what we write', async () => {
    using directory = scratch('exact');
    const root = `${directory.path}/tree`;
    makeEverything(root);
    const archive = `${directory.path}/archive.tar`;
    await Bun.write(archive, new Uint8Array((await helper(['pack', '--root', root])).stdout));
    const other = `${directory.path}/other`;
    mkdirSync(other);
    await runOk(['tar', '-C', other, '--xattrs', '--xattrs-include=*', '-xpf', archive]);
    expect(listTree(other)).toEqual(listTree(root));
  });

  test('attributes of a symlink, which GNU tar does not write', async () => {
    using directory = scratch('exact');
    mkdirSync(`${directory.path}/tree`);
    symlinkSync('/etc/passwd', `${directory.path}/tree/link`);
    setXattr(`${directory.path}/tree/link`, 'trusted.of-a-link', 'its own');
    const archive = (await helper(['pack', `${directory.path}/tree`])).stdout;
    await unpackLayer(`${directory.path}/layer`, archive);
    expect(xattrs(`${directory.path}/layer/diff/link`)).toEqual({ 'trusted.of-a-link': 'its own' });
  });

  test('GNU format: long names, base-256 owners, old sparse files', async () => {
    using directory = scratch('exact');
    const root = `${directory.path}/tree`;
    makeEverything(root);
    const archive = await output(['tar', '-C', root, '--format=gnu', '-S', '-cf', '-', '.']);
    const layer = `${directory.path}/layer`;
    expect((await unpackLayer(layer, archive)).code).toBe(0);
    // This format knows neither attributes nor fractions of seconds.
    const coarse = (line: string): string => line.replace(/\{.*\}$/, '').replace(/ (-?\d+)\d{9}(?= )/, ' $1');
    const shown = (tree: string): string[] =>
      listTree(tree)
        .map(coarse)
        .filter((line) => !line.startsWith('/empty'));
    expect(shown(`${layer}/diff`)).toEqual(shown(root));
    expect((await rebuild(layer)).equals(archive)).toBe(true);
  });
});

test('a copy of a tree has everything too, and takes no more of the disk', async () => {
  using directory = scratch('copy');
  const [from, to] = [`${directory.path}/from`, `${directory.path}/to`];
  makeEverything(from);
  mkdirSync(to);
  expect(await helper(['copy-tree', from, to])).toMatchObject({ code: 0, message: '' });
  expect(listTree(to)).toEqual(listTree(from));
  const measure = async (path: string): Promise<number[]> =>
    (await helper(['measure', path])).stdout.toString().trim().split(' ').map(Number);
  const [wanted, got] = [await measure(from), await measure(to)] as [number[], number[]];
  expect([got[0], got[2]]).toEqual([wanted[0], wanted[2]]);
  expect(got[1] as number).toBeLessThan((wanted[1] as number) + 1_000_000);
});
