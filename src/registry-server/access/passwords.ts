/** Who stands behind a name and a password: the registry's own users, and those of an htpasswd file. */
import { createHmac, randomBytes } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { Semaphore } from '../../base/semaphore.ts';
import { RegistryProblem } from '../problem.ts';
import type { AccessTokens } from './access-tokens.ts';
import type { Accounts, Role } from './accounts.ts';

/** Hashes that are slow on purpose; the program that puts the registry together knows how. */
export interface Passwords {
  hash(password: string): Promise<string>;
  verify(password: string, hash: string): Promise<boolean>;
}

/** Somebody who is known. */
export interface Identity {
  name: string;
  isAdmin: boolean;
  /** By an access token, which may do no more than its role. */
  key?: { id: number; role: Role };
}

export interface PasswordCheckOptions {
  accounts: Accounts;
  accessTokens: AccessTokens;
  passwords: Passwords;
  /** Path of a file in Apache's form, bcrypt only, read again when it changes; null: none. */
  htpasswd: string | null;
  /** Visitors may make accounts: the registry is closed also while there are none. */
  maySignUp: boolean;
}

/** Right answers that are remembered, so that a client that sends its password with every request does not cost a slow hash each time. */
const mostRemembered = 1000;
/** Milliseconds: `berth registry user add` counts from then on, and a thousand requests in a second do not ask a thousand times. */
const lookAgain = 5;
/** Slow hashes at a time. */
const concurrentChecks = 2;
/** Different ones that wait; each takes some tens of milliseconds. */
const mostWaiting = 100;

export class PasswordCheck {
  readonly #accounts: Accounts;
  readonly #accessTokens: AccessTokens;
  readonly #passwords: Passwords;
  readonly #htpasswd: Htpasswd | null;
  readonly #maySignUp: boolean;
  readonly #key = randomBytes(32);
  readonly #right = new Set<string>();
  readonly #room = new Semaphore(concurrentChecks);
  readonly #running = new Map<string, Promise<boolean>>();
  #hasUsers = false;
  #lookedAt = Number.NEGATIVE_INFINITY;

  constructor(options: PasswordCheckOptions) {
    this.#accounts = options.accounts;
    this.#accessTokens = options.accessTokens;
    this.#passwords = options.passwords;
    this.#htpasswd = options.htpasswd === null ? null : new Htpasswd(options.htpasswd);
    this.#maySignUp = options.maySignUp;
  }

  /** Anybody may do anything: there are no users at all. */
  get isOpen(): boolean {
    if (this.#htpasswd !== null || this.#maySignUp) return false;
    const now = performance.now();
    if (now >= this.#lookedAt + lookAgain) {
      this.#lookedAt = now;
      this.#hasUsers = this.#accounts.hasUsers();
    }
    return !this.#hasUsers;
  }

  /** Null: no such user, or neither the password nor an access token. Takes the same time for both. */
  async check(name: string, password: string): Promise<Identity | null> {
    const token = this.#accessTokens.find(name, password);
    if (token) return this.known(name, token.id);
    const user = this.#accounts.user(name);
    const hash = user?.password ?? (await this.#htpasswd?.hash(name)) ?? null;
    if (!(await this.#isRight(password, hash))) return null;
    // Whoever stands in the file may do everything, as in Docker's registry, which knows no rights.
    return { name, isAdmin: user?.isAdmin ?? true };
  }

  /** Somebody whom a token names: still there? @param key id of the access token that it was given for */
  async known(name: string, key?: number): Promise<Identity | null> {
    const user = this.#accounts.user(name);
    if (!user && !(await this.#htpasswd?.hash(name))) return null;
    const identity = { name, isAdmin: user?.isAdmin ?? true };
    if (key === undefined) return identity;
    const token = this.#accessTokens.withId(name, key);
    return token && { ...identity, key: { id: token.id, role: token.role } };
  }

  /** Changes when the password does, and never for an access token; null: no such user or token. */
  async stamp(name: string, key?: number): Promise<string | null> {
    if (key !== undefined) return (await this.known(name, key)) && `key ${key}`;
    const hash = this.#accounts.user(name)?.password ?? (await this.#htpasswd?.hash(name)) ?? null;
    return hash && createHmac('sha256', 'stamp').update(hash).digest('base64url').slice(0, 16);
  }

  /** Error: 429 while too many wait. */
  async #isRight(password: string, hash: string | null): Promise<boolean> {
    const key = createHmac('sha256', this.#key).update(`${hash}\0${password}`).digest('base64');
    if (this.#right.has(key)) return true;
    const running = this.#running.get(key);
    if (running) return running;
    if (this.#running.size >= mostWaiting)
      throw new RegistryProblem('TOOMANYREQUESTS', { headers: { 'Retry-After': '1' } });
    const checking = this.#verify(password, hash).finally(() => this.#running.delete(key));
    this.#running.set(key, checking);
    if (!(await checking)) return false;
    if (this.#right.size >= mostRemembered) this.#right.clear();
    this.#right.add(key);
    return true;
  }

  async #verify(password: string, hash: string | null): Promise<boolean> {
    const release = await this.#room.acquire();
    try {
      if (hash !== null) return await this.#passwords.verify(password, hash);
      const other = await this.#htpasswd?.anyHash();
      if (other) await this.#passwords.verify(password, other);
      else await this.#passwords.hash(password);
      return false;
    } finally {
      release();
    }
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
    return (await this.#read()).get(name) ?? null;
  }

  /** What a name that is not there is compared with: it must not be told by the time that takes. Null: the file is empty. */
  async anyHash(): Promise<string | null> {
    return (await this.#read()).values().next().value ?? null;
  }

  async #read(): Promise<ReadonlyMap<string, string>> {
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
    return this.#hashes;
  }
}
