import { afterAll } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileBlobs } from '../../../src/registry-server/storage/file-blobs.ts';
import { registryMigrations } from '../../../src/registry-server/storage/schema.ts';
import { SqliteIndex } from '../../../src/registry-server/storage/sqlite-index.ts';
import { BerthDatabase } from '../../../src/store/db/database.ts';
import { blobStorageContract, registryIndexContract } from './storage-contract.ts';

const directory = mkdtempSync(join(tmpdir(), 'berth-storage-'));
let count = 0;
afterAll(() => rmSync(directory, { recursive: true }));

blobStorageContract('files', () => FileBlobs.open(join(directory, String(count++))));
registryIndexContract('SQLite', async () => {
  const path = join(directory, `${count++}.db`);
  return new SqliteIndex(new BerthDatabase(path, registryMigrations), 0);
});
