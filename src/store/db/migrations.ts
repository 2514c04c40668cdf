/**
 * The whole schema, as numbered steps that are never edited once released. Each noun owns its tables:
 *
 *   meta(key, value)                                    engine id and the like
 *   blobs(digest, size, media_type, created)            compressed layers, configs, manifests: bytes under blobs/
 *   layers(chain_id, diff_id, parent, directory, …)     unpacked layers: layers/<directory>/diff
 *   images(id, config, manifest, …), image_layers, tags   image id = config digest; tags: name → image
 *   containers(id, name, created, record)               record: JSON, src/engine/containers/record.ts
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

      CREATE TABLE blobs (
        digest TEXT PRIMARY KEY, size INTEGER NOT NULL, media_type TEXT NOT NULL, created INTEGER NOT NULL
      ) WITHOUT ROWID;

      CREATE TABLE layers (
        chain_id TEXT PRIMARY KEY, diff_id TEXT NOT NULL, parent TEXT, directory INTEGER NOT NULL UNIQUE,
        size INTEGER NOT NULL, blob TEXT, recipe TEXT, created INTEGER NOT NULL
      ) WITHOUT ROWID;

      CREATE TABLE images (
        id TEXT PRIMARY KEY, config TEXT NOT NULL, manifest TEXT, platform TEXT NOT NULL, size INTEGER NOT NULL,
        parent TEXT, created INTEGER NOT NULL, last_tagged INTEGER
      ) WITHOUT ROWID;
      CREATE TABLE image_layers (
        image TEXT NOT NULL REFERENCES images(id) ON DELETE CASCADE, position INTEGER NOT NULL, chain_id TEXT NOT NULL REFERENCES layers(chain_id),
        PRIMARY KEY (image, position)
      ) WITHOUT ROWID;
      CREATE TABLE tags (
        name TEXT PRIMARY KEY, image TEXT NOT NULL REFERENCES images(id), manifest TEXT, created INTEGER NOT NULL
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
];
