/** The registry's own database, `registry.db`. Steps are never edited once released. Times are milliseconds since 1970. */
export const registryMigrations = [
  {
    id: 1,
    name: 'initial',
    sql: `
      CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

      CREATE TABLE repositories (
        id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, description TEXT NOT NULL DEFAULT '', pulls INTEGER NOT NULL DEFAULT 0,
        manifests INTEGER NOT NULL DEFAULT 0
      );
      CREATE TABLE uploads (id TEXT PRIMARY KEY, repository INTEGER NOT NULL REFERENCES repositories(id), started INTEGER NOT NULL) WITHOUT ROWID;
      CREATE INDEX uploads_by_repository ON uploads(repository);

      -- A blob that some repository has. touched: when somebody last looked whether it is there.
      CREATE TABLE blobs (
        repository INTEGER NOT NULL REFERENCES repositories(id), digest TEXT NOT NULL, size INTEGER NOT NULL, touched INTEGER NOT NULL,
        PRIMARY KEY (repository, digest)
      ) WITHOUT ROWID;
      CREATE INDEX blobs_by_digest ON blobs(digest);
      CREATE INDEX blobs_by_touched ON blobs(touched);

      -- The bytes of manifests, once for all repositories.
      CREATE TABLE documents (digest TEXT PRIMARY KEY, bytes BLOB NOT NULL);
      CREATE TABLE manifests (
        repository INTEGER NOT NULL REFERENCES repositories(id), digest TEXT NOT NULL REFERENCES documents(digest),
        media_type TEXT NOT NULL, subject TEXT, artifact_type TEXT NOT NULL, annotations TEXT, PRIMARY KEY (repository, digest)
      ) WITHOUT ROWID;
      CREATE INDEX manifests_by_subject ON manifests(repository, subject) WHERE subject IS NOT NULL;
      CREATE INDEX manifests_by_digest ON manifests(digest);
      CREATE TABLE parts (
        repository INTEGER NOT NULL, manifest TEXT NOT NULL, digest TEXT NOT NULL, PRIMARY KEY (repository, manifest, digest),
        FOREIGN KEY (repository, manifest) REFERENCES manifests(repository, digest) ON DELETE CASCADE
      ) WITHOUT ROWID;
      CREATE INDEX parts_by_digest ON parts(repository, digest);
      CREATE TABLE tags (
        repository INTEGER NOT NULL, name TEXT NOT NULL, digest TEXT NOT NULL, PRIMARY KEY (repository, name),
        FOREIGN KEY (repository, digest) REFERENCES manifests(repository, digest) ON DELETE CASCADE
      ) WITHOUT ROWID;
      CREATE INDEX tags_by_digest ON tags(repository, digest);

      -- Accounts. role: read, write or admin. The owner of a namespace is the user of that name.
      CREATE TABLE users (name TEXT PRIMARY KEY, password TEXT NOT NULL, is_admin INTEGER NOT NULL, created INTEGER NOT NULL) WITHOUT ROWID;
      CREATE TABLE namespaces (name TEXT PRIMARY KEY, is_public INTEGER NOT NULL) WITHOUT ROWID;
      CREATE TABLE members (namespace TEXT NOT NULL, user TEXT NOT NULL REFERENCES users(name) ON DELETE CASCADE, role TEXT NOT NULL,
        PRIMARY KEY (namespace, user)) WITHOUT ROWID;
      CREATE TABLE stars (
        repository INTEGER NOT NULL REFERENCES repositories(id), user TEXT NOT NULL, PRIMARY KEY (repository, user)
      ) WITHOUT ROWID;
    `,
  },
  {
    id: 2,
    name: 'mirrored tags',
    sql: `
      CREATE TABLE mirrored (
        repository INTEGER NOT NULL, tag TEXT NOT NULL, PRIMARY KEY (repository, tag),
        FOREIGN KEY (repository, tag) REFERENCES tags(repository, name) ON DELETE CASCADE
      ) WITHOUT ROWID;
    `,
  },
  {
    id: 3,
    name: 'pages',
    sql: `
      ALTER TABLE repositories ADD COLUMN pushed INTEGER NOT NULL DEFAULT 0;
      CREATE INDEX repositories_by_pushed ON repositories(pushed);
      ALTER TABLE tags ADD COLUMN pushed INTEGER NOT NULL DEFAULT 0;
      ALTER TABLE tags ADD COLUMN pushed_by TEXT;
      CREATE INDEX tags_by_pushed ON tags(repository, pushed);

      -- Long descriptions: not beside the short ones, which the search reads.
      CREATE TABLE readmes (repository INTEGER PRIMARY KEY REFERENCES repositories(id) ON DELETE CASCADE, text TEXT NOT NULL);

      -- A browser that somebody signed in with. stamp: of the password that counted then. ends: of the session; the row outlives it.
      CREATE TABLE browsers (
        hash TEXT PRIMARY KEY, user TEXT NOT NULL, stamp TEXT NOT NULL, created INTEGER NOT NULL, ends INTEGER NOT NULL
      ) WITHOUT ROWID;
      CREATE INDEX browsers_by_user ON browsers(user, created);

      -- Tokens that stand in for a password. An id is never used again.
      CREATE TABLE access_tokens (
        id INTEGER PRIMARY KEY AUTOINCREMENT, user TEXT NOT NULL, name TEXT NOT NULL, hash TEXT NOT NULL UNIQUE, role TEXT NOT NULL,
        created INTEGER NOT NULL, used INTEGER NOT NULL DEFAULT 0, UNIQUE (user, name)
      );
    `,
  },
];
