/** Who stands behind a name and a password: the registry's own users, and those of an htpasswd file. */
import { createHmac, randomBytes } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { Semaphore } from '../../base/semaphore.ts';
import type { Accounts } from './accounts.ts';

/** Hashes that are slow on purpose; the program that puts the registry together knows how. */
export interface Passwords {
  hash(password: string): Promise<string>;
  verify(password: string, hash: string): Promise<boolean>;
}

/** Somebody who is known. */
export interface Identity {
  name: string;
  isAdmin: boolean;
}

/** Right answers that are remembered, so that a client that sends its password with every request does not cost a slow hash each time. */
const mostRemembered = 1000;
/** Milliseconds: `berth registry user add` counts from then on, and a thousand requests in a second do not ask a thousand times. */
const lookAgain = 5;
/** Slow hashes at a time. */
const concurrentChecks = 2;

export class PasswordCheck {
  readonly #accounts: Accounts;
  readonly #passwords: Passwords;
  readonly #htpasswd: Htpasswd | null;
  readonly #key = randomBytes(32);
  readonly #right = new Set<string>();
  readonly #room = new Semaphore(concurrentChecks);
  #hasUsers = false;
  #lookedAt = Number.NEGATIVE_INFINITY;

  /** @param htpasswd path of a file in Apache's form, bcrypt only, read again when it changes; null: none */
  constructor(accounts: Accounts, passwords: Passwords, htpasswd: string | null) {
    this.#accounts = accounts;
    this.#passwords = passwords;
    this.#htpasswd = htpasswd === null ? null : new Htpasswd(htpasswd);
  }

  /** Anybody may do anything: there are no users at all. */
  get isOpen(): boolean {
    if (this.#htpasswd !== null) return false;
    const now = performance.now();
    if (now >= this.#lookedAt + lookAgain) {
      this.#lookedAt = now;
      this.#hasUsers = this.#accounts.hasUsers();
    }
    return !this.#hasUsers;
  }

  /** Null: no such user, or not the password. Takes the same time for both. */
  async check(name: string, password: string): Promise<Identity | null> {
    const user = this.#accounts.user(name);
    const hash = user?.password ?? (await this.#htpasswd?.hash(name)) ?? null;
    if (!(await this.#isRight(password, hash))) return null;
    // Whoever stands in the file may do everything, as in Docker's registry, which knows no rights.
    return { name, isAdmin: user?.isAdmin ?? true };
  }

  /** Somebody whom a token names: still there? */
  async known(name: string): Promise<Identity | null> {
    const user = this.#accounts.user(name);
    if (user) return { name, isAdmin: user.isAdmin };
    return (await this.#htpasswd?.hash(name)) ? { name, isAdmin: true } : null;
  }

  /** Changes when the password does; null: no such user. */
  async stamp(name: string): Promise<string | null> {
    const hash = this.#accounts.user(name)?.password ?? (await this.#htpasswd?.hash(name)) ?? null;
    return hash && createHmac('sha256', 'stamp').update(hash).digest('base64url').slice(0, 16);
  }

  async #isRight(password: string, hash: string | null): Promise<boolean> {
    const key = createHmac('sha256', this.#key).update(`${hash}\0${password}`).digest('base64');
    if (this.#right.has(key)) return true;
    const release = await this.#room.acquire();
    try {
      if (hash === null) {
        await this.#passwords.hash(password);
        return false;
      }
      if (!(await this.#passwords.verify(password, hash))) return false;
    } finally {
      release();
    }
    if (this.#right.size >= mostRemembered) this.#right.clear();
    this.#right.add(key);
    return true;
  }
}

/** `name:hash` lines. */
class Htpasswd {
  readonly #path: string;
  #hashes = new Map<string, string>();
  #modified = -1;

  constructor(path: string) {
    this.#path = path;
  }

  /** Error: the file cannot be read. */
  async hash(name: string): Promise<string | null> {
    const { mtimeMs } = await stat(this.#path);
    if (mtimeMs !== this.#modified) {
      const lines = (await readFile(this.#path, 'utf8')).split('\n');
      this.#hashes = new Map(
        lines.flatMap((line) => {
          const [, user, hash] = /^([^#:\s][^:]*):(\S+)\s*$/.exec(line) ?? [];
          return user && hash ? [[user, hash] as const] : [];
        }),
      );
      this.#modified = mtimeMs;
    }
    return this.#hashes.get(name) ?? null;
  }
}
