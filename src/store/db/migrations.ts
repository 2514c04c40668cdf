/**
 * The whole schema, as numbered steps that are never edited once released. Each noun owns its tables:
 *
 *   meta(key, value)                                    engine id and the like
 *   documents(digest, media_type, bytes)                configs, manifests, indexes, byte for byte: small, and there at once with their image
 *   layers(diff_id, directory, size, tar_size)          unpacked layers: layers/<directory>/diff
 *   blobs(digest, diff_id, size, kept, packing)         packed bytes a layer came from or went as; kept: they are in blobs/sha256/
 *   images(id, manifest, parent, …)                     id = digest of the config document; hidden: removed, but a container uses it
 *   image_layers, image_documents                       what an image needs
 *   tags(name, image)                                   canonical reference, `name:tag` or `name@digest` → image
 *   containers(id, name, created, record)               record: JSON, src/engine/containers/record.ts
 *   volumes(name, created, record, doomed)             bytes under volumes/<name>/_data; doomed: the next start of the engine removes it
 *   build_cache(key, result, diff_id, …)                a step's key → its layer, which stays while the row does
 *   build_parts, build_contents                         what steps were made of; digests of what COPY --from looked at
 *   networks, endpoints                                 addresses in use by (network, container)
 *
 * What is true only for this boot (pids, sockets) is in the exec root and never here.
 */
export interface Migration {
  id: number;
  name: string;
  sql: string;
}

export const migrations: readonly Migration[] = [
  {
    id: 1,
    name: 'initial',
    sql: `
      CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

      CREATE TABLE documents (digest TEXT PRIMARY KEY, media_type TEXT NOT NULL, bytes BLOB NOT NULL) WITHOUT ROWID;

      CREATE TABLE layers (
        diff_id TEXT PRIMARY KEY, directory INTEGER NOT NULL UNIQUE, size INTEGER NOT NULL, tar_size INTEGER NOT NULL,
        created INTEGER NOT NULL
      ) WITHOUT ROWID;
      CREATE TABLE blobs (
        digest TEXT PRIMARY KEY, diff_id TEXT NOT NULL REFERENCES layers(diff_id) ON DELETE CASCADE, size INTEGER NOT NULL,
        kept INTEGER NOT NULL
      ) WITHOUT ROWID;
      CREATE INDEX blobs_by_layer ON blobs(diff_id);

      CREATE TABLE images (
        id TEXT PRIMARY KEY REFERENCES documents(digest), manifest TEXT, size INTEGER NOT NULL, parent TEXT,
        created INTEGER NOT NULL, last_tagged INTEGER, hidden INTEGER NOT NULL DEFAULT 0
      ) WITHOUT ROWID;
      CREATE TABLE image_layers (
        image TEXT NOT NULL REFERENCES images(id) ON DELETE CASCADE, position INTEGER NOT NULL,
        diff_id TEXT NOT NULL REFERENCES layers(diff_id), PRIMARY KEY (image, position)
      ) WITHOUT ROWID;
      CREATE INDEX image_layers_by_layer ON image_layers(diff_id);
      CREATE TABLE image_documents (
        image TEXT NOT NULL REFERENCES images(id) ON DELETE CASCADE, digest TEXT NOT NULL REFERENCES documents(digest),
        PRIMARY KEY (image, digest)
      ) WITHOUT ROWID;
      CREATE INDEX image_documents_by_digest ON image_documents(digest);
      CREATE TABLE tags (
        name TEXT PRIMARY KEY, image TEXT NOT NULL REFERENCES images(id), created INTEGER NOT NULL
      ) WITHOUT ROWID;
      CREATE INDEX tags_by_image ON tags(image);

      CREATE TABLE containers (
        id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, created INTEGER NOT NULL, record TEXT NOT NULL
      ) WITHOUT ROWID;

      CREATE TABLE networks (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, created INTEGER NOT NULL, record TEXT NOT NULL) WITHOUT ROWID;
      CREATE TABLE endpoints (
        container TEXT NOT NULL, network TEXT NOT NULL, endpoint TEXT NOT NULL, address TEXT, record TEXT NOT NULL,
        PRIMARY KEY (container, network)
      ) WITHOUT ROWID;
      CREATE UNIQUE INDEX endpoints_by_address ON endpoints(network, address) WHERE address IS NOT NULL;
    `,
  },
  {
    id: 2,
    name: 'volumes',
    sql: `
      CREATE TABLE volumes (name TEXT PRIMARY KEY, created TEXT NOT NULL, record TEXT NOT NULL) WITHOUT ROWID;
    `,
  },
  {
    id: 3,
    name: 'doomed volumes',
    sql: 'ALTER TABLE volumes ADD COLUMN doomed INTEGER NOT NULL DEFAULT 0;',
  },
  {
    id: 4,
    name: 'build cache',
    sql: `
      CREATE TABLE build_cache (
        key TEXT PRIMARY KEY, result TEXT NOT NULL, diff_id TEXT REFERENCES layers(diff_id), description TEXT NOT NULL,
        created INTEGER NOT NULL, used INTEGER NOT NULL, uses INTEGER NOT NULL
      ) WITHOUT ROWID;
      CREATE INDEX build_cache_by_layer ON build_cache(diff_id);
      CREATE TABLE build_parts (slot TEXT PRIMARY KEY, parts TEXT NOT NULL, used INTEGER NOT NULL) WITHOUT ROWID;
      CREATE TABLE build_contents (question TEXT PRIMARY KEY, digest TEXT NOT NULL, used INTEGER NOT NULL) WITHOUT ROWID;
    `,
  },
  {
    id: 5,
    name: 'targets',
    sql: `
      CREATE TABLE targets (
        digest TEXT PRIMARY KEY REFERENCES documents(digest), image TEXT NOT NULL REFERENCES images(id) ON DELETE CASCADE
      ) WITHOUT ROWID;
      CREATE INDEX targets_by_image ON targets(image);
      CREATE TABLE target_documents (
        target TEXT NOT NULL REFERENCES targets(digest) ON DELETE CASCADE, digest TEXT NOT NULL REFERENCES documents(digest),
        PRIMARY KEY (target, digest)
      ) WITHOUT ROWID;
      CREATE INDEX target_documents_by_digest ON target_documents(digest);
      CREATE TABLE target_layers (
        target TEXT NOT NULL REFERENCES targets(digest) ON DELETE CASCADE, diff_id TEXT NOT NULL REFERENCES layers(diff_id),
        PRIMARY KEY (target, diff_id)
      ) WITHOUT ROWID;
      CREATE INDEX target_layers_by_layer ON target_layers(diff_id);
      ALTER TABLE tags ADD COLUMN target TEXT REFERENCES targets(digest);
      CREATE INDEX tags_by_target ON tags(target) WHERE target IS NOT NULL;
    `,
  },
  {
    id: 6,
    name: 'packing of blobs',
    // gzip or zstd; null: not known. A push asks registries for what a layer was packed as before.
    sql: 'ALTER TABLE blobs ADD COLUMN packing TEXT;',
  },
];
