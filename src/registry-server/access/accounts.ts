/** Users, and who may do what in which namespace. */
import type { BerthDatabase } from '../../store/db/database.ts';
import { isRepositoryName } from '../names.ts';
import { RegistryProblem } from '../problem.ts';

export interface User {
  name: string;
  /** Hash in the form of the `Passwords` that made it. */
  password: string;
  isAdmin: boolean;
  /** Milliseconds since 1970. */
  created: number;
}

/** read: pull; write: push too; admin: delete and describe too. */
export type Role = 'read' | 'write' | 'admin';

interface UserRow {
  name: string;
  password: string;
  is_admin: number;
  created: number;
}

export class Accounts {
  readonly #database: BerthDatabase;

  /** @param database with the schema of `registryMigrations`; another process may change it meanwhile */
  constructor(database: BerthDatabase) {
    this.#database = database;
  }

  user(name: string): User | null {
    const row = this.#database.sql.query<UserRow, [string]>('SELECT * FROM users WHERE name = ?').get(name);
    return row && readUser(row);
  }

  users(): User[] {
    return this.#database.sql.query<UserRow, []>('SELECT * FROM users ORDER BY name').all().map(readUser);
  }

  hasUsers(): boolean {
    return this.#database.sql.query('SELECT 1 FROM users LIMIT 1').get() !== null;
  }

  /** Errors: `NAME_INVALID`; a user of that name exists. */
  async add(user: { name: string; password: string; isAdmin: boolean }): Promise<void> {
    // The name is a namespace too.
    if (!isRepositoryName(user.name) || user.name.includes('/'))
      throw new RegistryProblem('NAME_INVALID', { message: `invalid user name: ${user.name}` });
    const added = this.#database.sql
      .query('INSERT INTO users VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING')
      .run(user.name, user.password, user.isAdmin ? 1 : 0, Date.now());
    if (added.changes === 0)
      throw new RegistryProblem('NAME_INVALID', { status: 409, message: `user ${user.name} exists already` });
    await this.#database.durable();
  }

  /** Error: no such user. */
  async remove(name: string): Promise<void> {
    this.#database.transaction(() => {
      const { sql } = this.#database;
      this.#changed(name, sql.query('DELETE FROM users WHERE name = ?').run(name).changes);
      // Somebody else may have the name tomorrow.
      for (const table of ['browsers', 'access_tokens']) sql.query(`DELETE FROM ${table} WHERE user = ?`).run(name);
    });
    await this.#database.durable();
  }

  /** Error: no such user. */
  async setPassword(name: string, password: string): Promise<void> {
    const update = this.#database.sql.query('UPDATE users SET password = ? WHERE name = ?').run(password, name);
    this.#changed(name, update.changes);
    await this.#database.durable();
  }

  #changed(name: string, rows: number): void {
    if (rows === 0) throw new RegistryProblem('NAME_UNKNOWN', { message: `no such user: ${name}` });
  }

  isPublic(namespace: string): boolean {
    const sql = 'SELECT is_public FROM namespaces WHERE name = ?';
    return this.#database.sql.query<{ is_public: number }, [string]>(sql).get(namespace)?.is_public === 1;
  }

  async setPublic(namespace: string, isPublic: boolean): Promise<void> {
    this.#database.sql
      .query('INSERT INTO namespaces VALUES (?, ?) ON CONFLICT DO UPDATE SET is_public = excluded.is_public')
      .run(namespace, isPublic ? 1 : 0);
    await this.#database.durable();
  }

  role(namespace: string, user: string): Role | null {
    const sql = 'SELECT role FROM members WHERE namespace = ? AND user = ?';
    return this.#database.sql.query<{ role: Role }, [string, string]>(sql).get(namespace, user)?.role ?? null;
  }

  /** @param role null: none any more. Error: no such user. */
  async grant(namespace: string, user: string, role: Role | null): Promise<void> {
    if (!this.user(user)) this.#changed(user, 0);
    if (role === null)
      this.#database.sql.query('DELETE FROM members WHERE namespace = ? AND user = ?').run(namespace, user);
    else
      this.#database.sql
        .query('INSERT INTO members VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET role = excluded.role')
        .run(namespace, user, role);
    await this.#database.durable();
  }
}

function readUser(row: UserRow): User {
  return { name: row.name, password: row.password, isAdmin: row.is_admin === 1, created: row.created };
}
