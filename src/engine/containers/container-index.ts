import { BerthError } from '../../api/errors.ts';
import type { BerthDatabase } from '../../store/db/database.ts';
import { parseTime } from '../../wire/time.ts';
import { Container } from './container.ts';
import type { ContainerRecord } from './record.ts';
import { decodeRecord, encodeRecord } from './record-codec.ts';

/** Milliseconds until a write that failed is tried again. */
const retryAfter = 1000;

/**
 * All containers in memory, written through to the table `containers`. Reading takes no lock and does not touch the database.
 */
export class ContainerIndex {
  readonly #database: BerthDatabase;
  readonly #byId = new Map<string, Container>();
  readonly #byName = new Map<string, Container>();
  readonly #unsaved = new Set<Container>();
  #retry: ReturnType<typeof setTimeout> | null = null;
  readonly #insert;
  readonly #update;
  readonly #rename;
  readonly #delete;

  constructor(database: BerthDatabase) {
    this.#database = database;
    const { sql } = database;
    this.#insert = sql.prepare<unknown, [string, string, number, string]>('INSERT INTO containers VALUES (?, ?, ?, ?)');
    this.#update = sql.prepare<unknown, [string, string]>('UPDATE containers SET record = ? WHERE id = ?');
    this.#rename = sql.prepare<unknown, [string, string, string]>(
      'UPDATE containers SET name = ?, record = ? WHERE id = ?',
    );
    this.#delete = sql.prepare<unknown, [string]>('DELETE FROM containers WHERE id = ?');
  }

  /** Reads the table; once, at the engine's start. */
  load(): void {
    const records = this.#database.sql
      .query<{ record: string }, []>('SELECT record FROM containers')
      .all()
      .map((row) => decodeRecord(row.record));
    const times = new Map(records.map((record) => [record, parseTime(record.created) ?? 0n]));
    const time = (record: ContainerRecord): bigint => times.get(record) as bigint;
    // The column has seconds only, and several containers may be made in one.
    records.sort((one, other) => (time(one) < time(other) ? -1 : time(one) > time(other) ? 1 : 0));
    for (const record of records) {
      const container = this.#enter(new Container(record));
      // What happened to its files before this engine is not in the books.
      container.hasOwnFiles = true;
    }
  }

  /** In the order of creation. */
  all(): IterableIterator<Container> {
    return this.#byId.values();
  }

  get size(): number {
    return this.#byId.size;
  }

  byId(id: string): Container | undefined {
    return this.#byId.get(id);
  }

  byName(name: string): Container | undefined {
    return this.#byName.get(name);
  }

  /**
   * What a client calls `reference`: full id, then name (a leading slash is ignored), then unique id prefix.
   * Errors: `not-found` `No such container: x`; `invalid` for a prefix of several ids.
   */
  find(reference: string): Container {
    const exact = this.#byId.get(reference) ?? this.#byName.get(reference.replace(/^\//, ''));
    if (exact) return exact;
    if (/^[0-9a-f]+$/.test(reference)) {
      let found: Container | null = null;
      for (const [id, container] of this.#byId) {
        if (!id.startsWith(reference)) continue;
        if (found) throw new BerthError('invalid', `multiple IDs found with provided prefix: ${reference}`);
        found = container;
      }
      if (found) return found;
    }
    throw new BerthError('not-found', `No such container: ${reference}`);
  }

  /**
   * Enters a new container. Error: `conflict` in dockerd's words for a name in use.
   * @param alongside writes in the same transaction
   */
  add(record: ContainerRecord, alongside: () => void = () => {}): Container {
    this.checkName(record.name);
    this.#database.requireRoom();
    const created = Math.floor(Date.parse(record.created) / 1000);
    this.#database.transaction(() => {
      this.#insert.run(record.id, record.name, created, encodeRecord(record));
      alongside();
    });
    return this.#enter(new Container(record));
  }

  /** Error: `conflict` for a name in use. */
  checkName(name: string): void {
    const holder = this.#byName.get(name);
    if (!holder) return;
    throw new BerthError(
      'conflict',
      `Conflict. The container name "/${name}" is already in use by container "${holder.id}". You have to remove (or rename) that container to be able to reuse that name.`,
      { code: 'container-name-in-use' },
    );
  }

  /** Writes the record as it is now. */
  save(container: Container): void {
    this.write(container.record);
  }

  /** Writes a record that is about to become a container's. */
  write(record: ContainerRecord): void {
    this.#update.run(encodeRecord(record), record.id);
  }

  /**
   * Writes the record where what happened cannot be refused any more: an exit. On a full disk it is tried again until there is
   * room; the memory of the engine is right meanwhile. @param report told of the first failure
   */
  saveSoon(container: Container, report: (error: unknown) => void): void {
    try {
      this.save(container);
      this.#unsaved.delete(container);
    } catch (error) {
      if (!this.#unsaved.has(container)) report(error);
      this.#unsaved.add(container);
      this.#retry ??= setTimeout(() => {
        this.#retry = null;
        for (const late of [...this.#unsaved]) this.saveSoon(late, report);
      }, retryAfter).unref();
    }
  }

  /** Error: `conflict` for a name in use. */
  rename(container: Container, name: string): void {
    this.checkName(name);
    const old = container.record.name;
    container.record.name = name;
    try {
      this.#rename.run(name, encodeRecord(container.record), container.id);
    } catch (error) {
      container.record.name = old;
      throw error;
    }
    this.#byName.delete(old);
    this.#byName.set(name, container);
  }

  /**
   * Forgets it; its name is free at once.
   * @param alongside writes in the same transaction
   */
  remove(container: Container, alongside: () => void = () => {}): void {
    this.#database.transaction(() => {
      this.#delete.run(container.id);
      alongside();
    });
    this.#unsaved.delete(container);
    this.#byId.delete(container.id);
    this.#byName.delete(container.record.name);
  }

  #enter(container: Container): Container {
    this.#byId.set(container.id, container);
    this.#byName.set(container.record.name, container);
    return container;
  }
}
