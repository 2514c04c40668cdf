/** Tokens that a user makes for a machine: they stand in for the password at a login, do no more than their role allows, and can be revoked. */
import type { BerthDatabase } from '../../store/db/database.ts';
import { RegistryProblem } from '../problem.ts';
import type { Role } from './accounts.ts';
import { hashOfSecret, newSecret } from './secret.ts';

export interface AccessToken {
  id: number;
  name: string;
  role: Role;
  /** Milliseconds since 1970. */
  created: number;
  /** When it was last shown; 0: never. */
  used: number;
}

/** So that people and scanners of leaks know one when they see it. */
const prefix = 'berth_';
/** Milliseconds: a use is noted at most this often. */
const noteInterval = 60_000;
const mostTokens = 100;

export class AccessTokens {
  readonly #database: BerthDatabase;

  /** @param database with the schema of `registryMigrations` */
  constructor(database: BerthDatabase) {
    this.#database = database;
  }

  of(user: string): AccessToken[] {
    const sql = 'SELECT id, name, role, created, used FROM access_tokens WHERE user = ? ORDER BY created, id';
    return this.#database.sql.query<AccessToken, [string]>(sql).all(user);
  }

  /** Gives the token itself, which nobody can read again. Errors: 409 for a name that the user has used, or too many tokens. */
  async add(user: string, token: { name: string; role: Role }): Promise<string> {
    if (this.of(user).length >= mostTokens)
      throw new RegistryProblem('DENIED', { status: 409, message: `nobody has more than ${mostTokens} access tokens` });
    const secret = `${prefix}${newSecret()}`;
    const sql =
      'INSERT INTO access_tokens (user, name, hash, role, created) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING';
    const added = this.#database.sql.query(sql).run(user, token.name, hashOfSecret(secret), token.role, Date.now());
    if (added.changes === 0)
      throw new RegistryProblem('DENIED', { status: 409, message: `there is a token "${token.name}" already` });
    await this.#database.durable();
    return secret;
  }

  /** False: the user has none of that id. */
  async revoke(user: string, id: number): Promise<boolean> {
    const removed = this.#database.sql.query('DELETE FROM access_tokens WHERE user = ? AND id = ?').run(user, id);
    await this.#database.durable();
    return removed.changes > 0;
  }

  /** The user's token behind what was given as a password; null: it is none. */
  find(user: string, password: string): AccessToken | null {
    if (!password.startsWith(prefix)) return null;
    const sql = 'SELECT id, name, role, created, used FROM access_tokens WHERE hash = ? AND user = ?';
    const token = this.#database.sql.query<AccessToken, [string, string]>(sql).get(hashOfSecret(password), user);
    const now = Date.now();
    if (token && token.used < now - noteInterval)
      this.#database.sql.query('UPDATE access_tokens SET used = ? WHERE id = ?').run(now, token.id);
    return token;
  }

  /** Null: revoked. */
  withId(user: string, id: number): AccessToken | null {
    const sql = 'SELECT id, name, role, created, used FROM access_tokens WHERE id = ? AND user = ?';
    return this.#database.sql.query<AccessToken, [number, string]>(sql).get(id, user);
  }
}
