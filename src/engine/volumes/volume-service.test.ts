import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { helperProgram } from '../../../test/support/native-helper.ts';
import { BerthDatabase } from '../../store/db/database.ts';
import { NativeHelper } from '../../store/native-helper.ts';
import { Paths } from '../../store/paths.ts';
import { EventBus } from '../events/event-bus.ts';
import { VolumeService } from './volume-service.ts';

let root = '';
let database: BerthDatabase;
let users: Record<string, string[]> = {};
const events: string[] = [];
const renames: string[] = [];

function open(): VolumeService {
  const bus = new EventBus();
  bus.subscribe((event) => events.push(`${event.Action} ${event.Actor.ID}`));
  return new VolumeService({
    database,
    paths: new Paths({ dataRoot: root, execRoot: root }),
    events: bus,
    users: {
      containersWith: (volume) => users[volume] ?? [],
      whileStopped: (_volume, work) => work(),
      renameVolume: (old, { name }) => {
        renames.push(`${old} ${name}`);
        return () => undefined;
      },
    },
    helper: new NativeHelper(helperProgram()),
  });
}

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'volumes-'));
  mkdirSync(join(root, 'tmp'));
  database = new BerthDatabase(':memory:');
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const request = (Name: string, extra = {}) => ({ Name, Driver: '', DriverOpts: null, Labels: null, ...extra });

describe('volumes', () => {
  test('are made once, and outlive the engine', async () => {
    const volume = await open().create(request('data', { Labels: { a: 'b' } }));
    expect(volume).toMatchObject({ Name: 'data', Driver: 'local', Scope: 'local', Labels: { a: 'b' } });
    writeFileSync(join(volume.Mountpoint, 'file'), 'x');
    const again = open();
    expect(await again.create(request('data'))).toEqual(volume);
    expect(again.inspect('data')).toEqual(volume);
    expect(events).toEqual(['create data']);
  });

  test('without a name they are anonymous', async () => {
    const volume = await open().create(request(''));
    expect(volume.Name).toMatch(/^[0-9a-f]{64}$/);
    expect(volume.Labels).toEqual({ 'com.docker.volume.anonymous': '' });
  });

  test('names and drivers are checked in dockerd’s words', async () => {
    const service = open();
    await expect(service.create(request('a/b'))).rejects.toThrow(
      'create a/b: "a/b" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path',
    );
    await expect(service.create(request('x', {}))).rejects.toThrow('volume name is too short');
    await expect(service.create(request('ok', { Driver: 'foo' }))).rejects.toThrow(
      'create ok: error looking up volume plugin foo: plugin "foo" not found',
    );
    await expect(service.create(request('ok', { DriverOpts: { nonsense: 'x' } }))).rejects.toThrow('invalid option');
    expect(existsSync(join(root, 'volumes', 'ok'))).toBe(false);
  });

  test('one in use cannot be removed, a missing one only by force', async () => {
    const service = open();
    users = { data: ['c1'] };
    await expect(service.remove('data', true)).rejects.toThrow('remove data: volume is in use - [c1]');
    users = {};
    await expect(service.remove('none', false)).rejects.toThrow('get none: no such volume');
    await service.remove('none', true);
  });

  test('one that is lent goes with its last borrower, unless a container claims it', async () => {
    const service = open();
    const wish = { name: 'lent', driver: '', options: null, labels: null };
    const { mountpoint } = await service.borrow(wish);
    await service.borrow(wish);
    await expect(service.remove('lent', false)).rejects.toThrow('volume is in use');
    await service.release('lent');
    expect(existsSync(mountpoint)).toBe(true);
    await service.release('lent');
    expect(existsSync(mountpoint)).toBe(false);
    await service.borrow(wish);
    service.claim(['lent']);
    users = { lent: ['c1'] };
    await service.release('lent');
    users = {};
    expect(service.inspect('lent').Name).toBe('lent');
    await service.remove('lent', false);
  });

  test('what an engine that died had lent or condemned goes with the next one', async () => {
    const service = open();
    const { mountpoint } = await service.borrow({ name: 'lent', driver: '', options: null, labels: null });
    const { Mountpoint } = await service.create(request('condemned'));
    service.condemn(['condemned']);
    const next = open();
    await next.books.recover();
    expect(existsSync(mountpoint)).toBe(false);
    expect(existsSync(Mountpoint)).toBe(false);
    expect((await next.create(request('condemned'))).Name).toBe('condemned');
    await next.remove('condemned', false);
  });

  test('the directory comes back where somebody took it away', async () => {
    const service = open();
    const { Mountpoint } = service.inspect('data');
    rmSync(Mountpoint, { recursive: true });
    expect(await service.hold('data', 'c1')).toBe(Mountpoint);
    expect(existsSync(Mountpoint)).toBe(true);
    expect(await service.hold('none', 'c1')).toBeNull();
  });

  test('prune takes anonymous ones, and named ones where asked', async () => {
    const service = open();
    users = { held: ['c1'] };
    await service.create(request('held'));
    const first = await service.prune(new Map());
    expect(first.VolumesDeleted?.length).toBe(1);
    writeFileSync(join(service.inspect('data').Mountpoint, 'file'), '12345');
    expect(await service.prune(new Map([['all', ['true']]]))).toEqual({ VolumesDeleted: ['data'], SpaceReclaimed: 5 });
    expect(service.list(new Map()).Volumes.map(({ Name }) => Name)).toEqual(['held']);
    expect(service.list(new Map([['dangling', ['true']]])).Volumes).toEqual([]);
    expect((await service.prune(new Map())).VolumesDeleted).toBeNull();
  });
});
