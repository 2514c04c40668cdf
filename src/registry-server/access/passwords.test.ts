import { afterAll, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BerthDatabase } from '../../store/db/database.ts';
import { registryMigrations } from '../storage/schema.ts';
import { AccessTokens } from './access-tokens.ts';
import { Accounts } from './accounts.ts';
import { PasswordCheck } from './passwords.ts';

const directory = mkdtempSync(join(tmpdir(), 'berth-passwords-'));
const database = new BerthDatabase(join(directory, 'registry.db'), registryMigrations);
const accounts = new Accounts(database);
const htpasswd = join(directory, 'htpasswd');
writeFileSync(htpasswd, 'filed:hash-of-filed\n');
afterAll(() => {
  database.close();
  rmSync(directory, { recursive: true });
});

/** Slow hashes that end when the test says so. */
class SlowPasswords {
  readonly asked: string[] = [];
  readonly #ends: (() => void)[] = [];

  hash(password: string): Promise<string> {
    return this.#wait(`hash ${password}`, '');
  }

  verify(password: string, hash: string): Promise<boolean> {
    return this.#wait(`verify ${password} ${hash}`, hash === `hash-of-${password}`);
  }

  #wait<T>(what: string, result: T): Promise<T> {
    this.asked.push(what);
    return new Promise((resolve) => this.#ends.push(() => resolve(result)));
  }

  async endAll(until: Promise<unknown>): Promise<void> {
    let isOver = false;
    void until.finally(() => (isOver = true));
    while (!isOver) {
      for (const end of this.#ends.splice(0)) end();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

function checkWith(file: string | null): { passwords: SlowPasswords; check: PasswordCheck } {
  const passwords = new SlowPasswords();
  const accessTokens = new AccessTokens(database);
  return {
    passwords,
    check: new PasswordCheck({ accounts, accessTokens, passwords, htpasswd: file, maySignUp: false }),
  };
}

test('one password that comes many times at once is hashed once, and remembered when it is right', async () => {
  await accounts.add({ name: 'alice', password: 'hash-of-secret', isAdmin: false });
  const { passwords, check } = checkWith(null);
  const logins = Promise.all(Array.from({ length: 500 }, () => check.check('alice', 'secret')));
  await passwords.endAll(logins);
  expect(new Set((await logins).map((identity) => identity?.name))).toEqual(new Set(['alice']));
  expect((await check.check('alice', 'secret'))?.name).toBe('alice');
  expect(passwords.asked).toEqual(['verify secret hash-of-secret']);
});

test('two are hashed at a time, a hundred wait, more are told to come back', async () => {
  const { passwords, check } = checkWith(null);
  const logins = Array.from({ length: 150 }, (_, one) => check.check('nobody', `guess ${one}`));
  const outcomes = Promise.allSettled(logins);
  await new Promise((resolve) => setImmediate(resolve));
  expect(passwords.asked).toHaveLength(2);
  await passwords.endAll(outcomes);
  const refused = (await outcomes).filter(({ status }) => status === 'rejected');
  expect(refused).toHaveLength(50);
  expect(refused[0]).toMatchObject({ reason: { code: 'TOOMANYREQUESTS', status: 429 } });
});

test('a name that is not there costs what one costs that is', async () => {
  for (const [file, asked] of [
    [null, 'hash wrong'],
    [htpasswd, 'verify wrong hash-of-filed'],
  ] as const) {
    const { passwords, check } = checkWith(file);
    const login = check.check('nobody', 'wrong');
    await passwords.endAll(login);
    expect([await login, passwords.asked]).toEqual([null, [asked]]);
  }
});
