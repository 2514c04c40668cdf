/** SQLite with checkpoints beside the writer, exact integers in JSON, zstd, the compiled executable. */
import { Database } from 'bun:sqlite';
import { expect, test } from 'bun:test';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';

// The child must close the database: without that its end locks the writer out.
test('a passive checkpoint in a child neither fails nor blocks the writer', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'berth-runtime-'));
  const path = join(directory, 'x.db');
  const database = new Database(path, { create: true, strict: true });
  database.run('PRAGMA journal_mode=WAL');
  database.run('PRAGMA synchronous=NORMAL');
  database.run('PRAGMA wal_autocheckpoint=0');
  database.run('CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT)');
  const insert = database.query('INSERT INTO t (text) VALUES (?)');
  const script = `const { Database } = require('bun:sqlite'); const d = new Database(${JSON.stringify(path)}); console.log(JSON.stringify(d.query('PRAGMA wal_checkpoint(PASSIVE)').get())); d.close();`;
  let written = 0;
  let complete = 0;
  for (let round = 0; round < 10; round++) {
    const child = Bun.spawn([process.execPath, '-e', script], { stdout: 'pipe' });
    while (child.exitCode === null) {
      for (let i = 0; i < 50; i++) insert.run('x'.repeat(500));
      written += 50;
      await Bun.sleep(0);
    }
    expect(child.exitCode).toBe(0);
    // `busy`: the writer was in the way, and the next one takes what is left.
    if ((JSON.parse(await child.stdout.text()) as { busy: number }).busy === 0) complete++;
  }
  expect(complete).toBeGreaterThan(0);
  expect(database.query('SELECT count(*) AS n FROM t').get()).toEqual({ n: written });
  expect(database.query('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
  database.close();
  rmSync(directory, { recursive: true });
});

test('what was committed survives kill -9 of the writer', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'berth-runtime-'));
  const path = join(directory, 'x.db');
  const script = `const { Database } = require('bun:sqlite'); const d = new Database(${JSON.stringify(path)}, { create: true });
    d.run('PRAGMA journal_mode=WAL'); d.run('PRAGMA synchronous=NORMAL'); d.run('CREATE TABLE t (id INTEGER)');
    const q = d.query('INSERT INTO t VALUES (?)'); const fs = require('node:fs');
    for (let i = 1; ; i++) { q.run(i); fs.writeSync(1, i + '\\n'); }`;
  const child = Bun.spawn([process.execPath, '-e', script], { stdout: 'pipe' });
  const reader = child.stdout.getReader();
  let output = '';
  while (output.length < 5000) output += new TextDecoder().decode((await reader.read()).value);
  child.kill('SIGKILL');
  await child.exited;
  const said = Number(output.trimEnd().split('\n').at(-2));
  const database = new Database(path);
  const { n } = database.query('SELECT max(id) AS n FROM t').get() as { n: number };
  expect(n).toBeGreaterThanOrEqual(said);
  database.close();
  rmSync(directory, { recursive: true });
});

test('a file that did not fit on the disk is SQLITE_FULL, and the next commit works', () => {
  const database = new Database(':memory:');
  database.run('PRAGMA max_page_count=10');
  database.run('CREATE TABLE t (text TEXT)');
  expect(() => database.run('INSERT INTO t VALUES (?)', ['x'.repeat(100_000)])).toThrow(/full/);
  database.run('INSERT INTO t VALUES (?)', ['fits']);
  expect(database.query('SELECT count(*) AS n FROM t').get()).toEqual({ n: 1 });
});

test('JSON: integers beyond 2^53 are read from the source text and written raw', () => {
  type Reviver = (key: string, value: unknown, context: { source?: string }) => unknown;
  const exact: Reviver = (_, value, { source }) =>
    typeof value === 'number' && source && !Number.isSafeInteger(value) && /^-?\d+$/.test(source)
      ? BigInt(source)
      : value;
  const parse = JSON.parse as (text: string, reviver: Reviver) => Record<string, unknown>;
  const text = '{"a":9007199254740993,"b":18446744073709551615,"c":-9223372036854775808,"d":1.5,"e":7}';
  const value = parse(text, exact);
  expect(value).toEqual({ a: 9007199254740993n, b: 18446744073709551615n, c: -9223372036854775808n, d: 1.5, e: 7 });
  const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown };
  expect(JSON.stringify(value, (_, item) => (typeof item === 'bigint' ? rawJSON(String(item)) : item))).toBe(text);
});

test('zstd round trip, and a frame that the zstd program made', () => {
  const data = Buffer.from('some text that repeats, '.repeat(10_000));
  expect(zstdDecompressSync(zstdCompressSync(data)).equals(data)).toBe(true);
  const made = Bun.spawnSync(['zstd', '-q', '-c'], { stdin: data }).stdout;
  expect(zstdDecompressSync(made).equals(data)).toBe(true);
});

test('a compiled executable loads what a verb needs, with splitting and bytecode', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'berth-runtime-'));
  writeFileSync(
    join(directory, 'main.ts'),
    "const [verb] = process.argv.slice(2); if (verb === 'one') (await import('./one.ts')).run(); else console.log('none');\n",
  );
  writeFileSync(
    join(directory, 'one.ts'),
    "import file from './data.txt' with { type: 'file' };\nimport { readFileSync } from 'node:fs';\nexport function run(): void { console.log('one', readFileSync(file, 'utf8')); }\n",
  );
  writeFileSync(join(directory, 'data.txt'), 'embedded');
  const built = Bun.spawnSync(
    [
      process.execPath,
      'build',
      '--compile',
      '--splitting',
      '--bytecode',
      '--format=esm',
      '--outfile',
      join(directory, 'out'),
      join(directory, 'main.ts'),
    ],
    { cwd: directory, stderr: 'pipe' },
  );
  expect({ code: built.exitCode, errors: built.exitCode === 0 ? '' : built.stderr.toString() }).toEqual({
    code: 0,
    errors: '',
  });
  // Where the sources are gone, everything must come out of the one file.
  for (const name of ['main.ts', 'one.ts', 'data.txt']) rmSync(join(directory, name));
  expect(Bun.spawnSync([join(directory, 'out'), 'one'], { cwd: '/' }).stdout.toString()).toBe('one embedded\n');
  expect(Bun.spawnSync([join(directory, 'out')], { cwd: '/' }).stdout.toString()).toBe('none\n');
  expect(readFileSync(join(directory, 'out')).length).toBeGreaterThan(50_000_000);
  rmSync(directory, { recursive: true });
}, 120_000);
