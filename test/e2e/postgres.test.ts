/** PostgreSQL in a Debian container keeps its data whatever is done to containers, engine and volumes; by both clients. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { ownFolder } from '../support/own-folder.ts';
import { loadPostgres } from '../support/postgres-image.ts';
import { until } from '../support/until.ts';
import { clients, UserShell } from '../support/user-shell.ts';

let engine: TestEngine;
const folder = ownFolder();

beforeAll(async () => {
  engine = await startEngine();
  await loadPostgres(engine);
}, 600_000);
afterEach(() => engine.removeContainers());
afterAll(() => engine.cleanUp());

describe.each(clients)('%s', (client) => {
  const shell = new UserShell(() => engine, client, folder);

  test('run -it X /bin/bash', async () => {
    const said = await shell.type(`script -qec "$D run -it postgres /bin/bash" /dev/null`, 'echo $BASH\nexit\n');
    expect(said).toMatch(/\/bin\/bash\r/);
  });

  test('PostgreSQL keeps its data through rm and a kill of the engine', async () => {
    const database = new Database(shell, 'database', `rows-${client}`);
    await database.start();
    await database.query('create table notes (line text)');
    await database.query("insert into notes values ('kept')");
    await shell.type('$D rm -f database');
    await database.start();
    await engine.kill9();
    await engine.start();
    expect(await database.query('select line from notes')).toBe('kept');
    await shell.type(`$D rm -f database; $D volume rm rows-${client}`);
  });
});

/** A PostgreSQL whose cluster comes out of the image and lives in a volume. */
class Database {
  readonly #shell: UserShell;
  readonly #name: string;
  readonly #volume: string;

  constructor(shell: UserShell, name: string, volume: string) {
    this.#shell = shell;
    this.#name = name;
    this.#volume = volume;
  }

  /** A fresh container over the volume; resolves when it answers. */
  async start(): Promise<void> {
    const server = `sh -c 'exec pg_ctlcluster --foreground $(ls /usr/lib/postgresql) main start'`;
    await this.#shell.type(`$D run -d --name ${this.#name} -v ${this.#volume}:/var/lib/postgresql postgres ${server}`);
    await until('PostgreSQL to answer', () => this.query('select true'));
  }

  async query(sql: string): Promise<string> {
    return await this.#shell.type(`$D exec -u postgres ${this.#name} psql -qtAc "${sql}"`);
  }
}

test('PostgreSQL keeps its data through rename, clone, export and import of its volume', async () => {
  const shell = new UserShell(() => engine, 'berth', folder);
  const first = new Database(shell, 'first', 'first');
  await first.start();
  await first.query("create table notes as select 'kept' as line");
  await shell.type('$D stop first; $D rm first');
  await shell.type('$D volume rename first renamed; $D volume clone renamed cloned');
  await shell.type('$D volume export cloned >rows.tar; $D volume import imported <rows.tar');
  for (const volume of ['renamed', 'cloned', 'imported']) {
    const database = new Database(shell, volume, volume);
    await database.start();
    expect(await database.query('select line from notes')).toBe('kept');
    await shell.type(`$D rm -f ${volume}; $D volume rm ${volume}`);
  }
});
