import { afterAll, expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileBlobs } from '../../../src/registry-server/storage/file-blobs.ts';
import { registryMigrations } from '../../../src/registry-server/storage/schema.ts';
import { SqliteIndex } from '../../../src/registry-server/storage/sqlite-index.ts';
import { SqliteShowcase } from '../../../src/registry-server/storage/sqlite-showcase.ts';
import { BerthDatabase } from '../../../src/store/db/database.ts';
import { blobStorageContract, registryIndexContract, showcaseContract } from './storage-contract.ts';

const directory = mkdtempSync(join(tmpdir(), 'berth-storage-'));
let count = 0;
afterAll(() => rmSync(directory, { recursive: true }));

blobStorageContract('files', () => FileBlobs.open(join(directory, String(count++))));
registryIndexContract('SQLite', async () => {
  const path = join(directory, `${count++}.db`);
  return new SqliteIndex(new BerthDatabase(path, registryMigrations), 0);
});
showcaseContract('SQLite', async () => {
  const database = new BerthDatabase(join(directory, `${count++}.db`), registryMigrations);
  return { index: new SqliteIndex(database, 0), showcase: new SqliteShowcase(database) };
});

test('a registry of before the pages opens with its data', async () => {
  const path = join(directory, 'older.db');
  const older = new BerthDatabase(path, registryMigrations.slice(0, 2));
  older.sql.run(`
    INSERT INTO repositories (id, name, description, manifests) VALUES (1, 'a/b', 'what it is', 1);
    INSERT INTO documents VALUES ('sha256:1', x'7b7d');
    INSERT INTO manifests VALUES (1, 'sha256:1', 'type', NULL, '', NULL);
    INSERT INTO tags VALUES (1, 'v1', 'sha256:1');
    INSERT INTO users VALUES ('alice', 'hash', 0, 1);
    INSERT INTO stars VALUES (1, 'alice');
  `);
  older.close();
  const index = new SqliteIndex(new BerthDatabase(path, registryMigrations), 0);
  expect(await index.summary('a/b')).toMatchObject({ description: 'what it is', stars: 1, pushed: 0 });
  expect(await index.manifest('a/b', 'v1')).toMatchObject({ digest: 'sha256:1' });
});
