/**
 * Browsers that somebody signed in with. A browser has one cookie of 256 random bits, of which only the hash is kept; a session is the time in
 * which it counts for its user. What outlives the session is that this browser once knew the password: it need not share its attempts at
 * the next sign-in with strangers.
 */
import type { BerthDatabase } from '../../store/db/database.ts';
import { hashOfSecret, newSecret } from './secret.ts';

export interface Browser {
  user: string;
  /** Of the password that counted when the session began: with another one it is over. */
  stamp: string;
  /** When the session ends, milliseconds since 1970. */
  ends: number;
}

const day = 24 * 3600 * 1000;
const sessionLifetime = 14 * day;
/** How long a browser is known. */
export const browserLifetime = 365 * day;
/** Of one user; beyond that the oldest is forgotten. */
const mostBrowsers = 50;

export class Browsers {
  readonly #database: BerthDatabase;

  /** @param database with the schema of `registryMigrations` */
  constructor(database: BerthDatabase) {
    this.#database = database;
  }

  /** Null: nobody has signed in with it. @param secret the cookie's value */
  find(secret: string): Browser | null {
    const sql = 'SELECT user, stamp, ends FROM browsers WHERE hash = ? AND created > ?';
    return this.#database.sql
      .query<Browser, [string, number]>(sql)
      .get(hashOfSecret(secret), Date.now() - browserLifetime);
  }

  /** Begins a session; gives the new cookie's value. @param before the browser's cookie so far */
  async begin(session: { user: string; stamp: string }, before: string | null): Promise<string> {
    const { user, stamp } = session;
    const secret = newSecret();
    const now = Date.now();
    this.#database.transaction(() => {
      const { sql } = this.#database;
      if (before !== null) sql.query('DELETE FROM browsers WHERE hash = ?').run(hashOfSecret(before));
      sql
        .query('INSERT INTO browsers VALUES (?, ?, ?, ?, ?)')
        .run(hashOfSecret(secret), user, stamp, now, now + sessionLifetime);
      sql
        .query(
          `DELETE FROM browsers WHERE hash IN
           (SELECT hash FROM browsers WHERE user = ? ORDER BY created DESC, hash LIMIT -1 OFFSET ?)`,
        )
        .run(user, mostBrowsers);
      sql.query('DELETE FROM browsers WHERE created < ?').run(now - browserLifetime);
    });
    await this.#database.durable();
    return secret;
  }

  async end(secret: string): Promise<void> {
    this.#database.sql.query('UPDATE browsers SET ends = 0 WHERE hash = ?').run(hashOfSecret(secret));
    await this.#database.durable();
  }
}
