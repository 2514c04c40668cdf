import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { ImageEngine } from '../../../test/support/image-engine.ts';
import { parseReference } from '../../oci/reference.ts';

let engine: ImageEngine;
beforeEach(() => {
  engine = new ImageEngine();
});
afterEach(() => {
  engine[Symbol.dispose]();
});

interface Made {
  created?: string;
  labels?: Record<string, string>;
  parent?: string;
  comment?: string;
}

/** An image without layers; its comment makes it different from others. */
async function image(references: string[], made: Made = {}): Promise<string> {
  const lease = await engine.store.lease('test');
  const config = {
    os: 'linux',
    architecture: 'amd64',
    created: made.created ?? '2024-01-01T00:00:00Z',
    comment: made.comment ?? references.join(),
    config: made.labels ? { Labels: made.labels } : {},
    rootfs: { type: 'layers', diff_ids: [] },
  };
  const { id } = await engine.store.commitImage({
    config: Buffer.from(JSON.stringify(config)),
    references: references.map((name) => (name.includes('/') ? name : `docker.io/library/${name}`)),
    parent: made.parent ?? null,
    lease,
  });
  await lease.release();
  return id;
}

const short = (id: string): string => id.slice(7, 19);
const digest = `sha256:${'d'.repeat(64)}`;
const remove = (name: string, options: { force?: boolean; noPrune?: boolean } = {}) =>
  engine.images.remove(name, { force: options.force ?? false, noPrune: options.noPrune ?? false });
const use = (id: string, running: boolean): void => {
  engine.users.push({ id: 'c'.repeat(64), name: 'user', running, image: id });
};

describe('names', () => {
  test('an image is found by each of its names', async () => {
    const id = await image(['a:1', `a@${digest}`]);
    for (const name of [
      'a:1',
      `a@${digest}`,
      `a:other@${digest}`,
      'docker.io/library/a:1',
      id,
      id.slice(7),
      id.slice(7, 12),
      `sha256:${id.slice(7, 12)}`,
    ])
      expect(engine.images.inspect(name, { platform: null }).Id).toBe(id);
  });

  const missing: [name: string, message: string][] = [
    ['nosuch', 'No such image: nosuch:latest'],
    ['nosuch:x', 'No such image: nosuch:x'],
    [`nosuch@${digest}`, `No such image: nosuch@${digest}`],
    [digest, `No such image: ${digest}`],
    ['f'.repeat(64), `No such image: sha256:${'f'.repeat(64)}`],
    ['docker.io/library/nosuch', 'No such image: nosuch:latest'],
  ];
  test.each(missing)('%s is not found', (name, message) => {
    expect(() => engine.images.inspect(name, { platform: null })).toThrow(message);
    expect(() => engine.containers.resolve(name)).toThrow(message);
  });

  test('a prefix of two ids names neither', async () => {
    const ids = await Promise.all(Array.from({ length: 20 }, (_, index) => image([], { comment: String(index) })));
    const first = ids.map((id) => id.slice(7, 8)).find((digit, index, all) => all.indexOf(digit) !== index) as string;
    expect(() => engine.images.inspect(first, { platform: null })).toThrow('No such image');
  });

  test('another platform is not this image', async () => {
    await image(['a:1']);
    const platform = { os: 'linux', architecture: 's390x' };
    expect(() => engine.images.inspect('a:1', { platform })).toThrow('does not match the specified platform');
  });
});

describe('tag', () => {
  test('adds a name, moves a name', async () => {
    const one = await image(['a:1']);
    await image(['b:1']);
    await engine.images.tag('a:1', 'b', '1');
    await engine.images.tag('a:1', 'reg.io:5000/x/y', '');
    expect(engine.images.inspect('b:1', { platform: null }).Id).toBe(one);
    expect(engine.names()).toEqual(['<none>', 'a:1', 'b:1', 'reg.io:5000/x/y:latest']);
    expect(engine.events.at(-1)).toMatchObject({
      Action: 'tag',
      Actor: { ID: one, Attributes: { name: 'reg.io:5000/x/y:latest' } },
    });
  });
  const refused: [repository: string, tag: string, message: string][] = [
    ['sha256', 'x', 'refusing to create an ambiguous tag using digest algorithm as name'],
    ['Foo', 'x', 'repository name (library/Foo) must be lowercase'],
    ['a', '-x', 'invalid tag format'],
    [`a@${digest}`, 'x', 'cannot import digest reference'],
  ];
  test.each(refused)('refused: %s:%s', async (repository, tag, message) => {
    await image(['a:1']);
    await expect(engine.images.tag('a:1', repository, tag)).rejects.toThrow(message);
  });
});

describe('remove', () => {
  test('one name of two: only the name goes', async () => {
    await image(['a:1', 'b:1']);
    expect(await remove('a:1')).toEqual([{ Untagged: 'a:1' }]);
    expect(engine.names()).toEqual(['b:1']);
  });

  test('the last tag takes the digests of its repository along, and the image', async () => {
    const id = await image(['a:1', `a@${digest}`]);
    expect(await remove('a:1')).toEqual([{ Untagged: 'a:1' }, { Untagged: `a@${digest}` }, { Deleted: id }]);
    expect(engine.events.slice(-2).map((event) => event.Action)).toEqual(['untag', 'delete']);
  });

  test('by id: one name is no obstacle, names in two repositories are', async () => {
    const one = await image(['a:1', `a@${digest}`]);
    expect(await remove(one)).toEqual([{ Untagged: 'a:1' }, { Untagged: `a@${digest}` }, { Deleted: one }]);
    const two = await image(['a:1', 'b:1']);
    await expect(remove(two)).rejects.toMatchObject({
      kind: 'conflict',
      message: `conflict: unable to delete ${short(two)} (must be forced) - image is referenced in multiple repositories`,
    });
    expect(await remove(two, { force: true })).toEqual([{ Untagged: 'a:1' }, { Untagged: 'b:1' }, { Deleted: two }]);
  });

  test('a stopped container keeps the image, unless forced', async () => {
    const id = await image(['a:1']);
    use(id, false);
    await expect(remove('a:1')).rejects.toThrow(
      `conflict: unable to remove repository reference "a:1" (must force) - container cccccccccccc is using its referenced image ${short(id)}`,
    );
    await expect(remove(id)).rejects.toThrow(
      `conflict: unable to delete ${short(id)} (must be forced) - image is being used by stopped container cccccccccccc`,
    );
    expect(await remove('a:1', { force: true })).toEqual([{ Untagged: 'a:1' }, { Deleted: id }]);
    expect(engine.names({}, true)).toEqual([]);
    expect(() => engine.images.inspect(id, { platform: null })).toThrow('No such image');
    // Its container can still start; when that is gone too, so is the image.
    expect(engine.containers.resolve(id).id).toBe(id);
    engine.users.pop();
    engine.bus.publish('container', 'destroy', 'c'.repeat(64));
    expect(engine.store.image(id)).toBeNull();
  });

  test('a running container keeps the image whatever one says', async () => {
    const id = await image(['a:1', 'b:1']);
    use(id, true);
    expect(await remove('b:1')).toEqual([{ Untagged: 'b:1' }]);
    await expect(remove(id, { force: true })).rejects.toThrow(
      `conflict: unable to delete ${short(id)} (cannot be forced) - image is being used by running container cccccccccccc`,
    );
    // By its name the name goes, and then it is an error that the image stays.
    expect(await remove('a:1', { force: true })).toEqual([{ Untagged: 'a:1' }]);
    expect(engine.names()).toEqual(['<none>']);
  });

  test('children keep their parent, and take it along', async () => {
    const parent = await image([], { comment: 'parent' });
    const child = await image(['c:1'], { parent });
    await expect(remove(parent, { force: true })).rejects.toThrow(
      '(cannot be forced) - image has dependent child images',
    );
    expect(engine.names()).toEqual(['c:1']);
    expect(engine.names({}, true)).toEqual(['<none>', 'c:1']);
    expect(await remove('c:1')).toEqual([{ Untagged: 'c:1' }, { Deleted: child }, { Deleted: parent }]);
  });

  test('noprune leaves the parent', async () => {
    const parent = await image([], { comment: 'parent' });
    await image(['c:1'], { parent });
    await remove('c:1', { noPrune: true });
    expect(engine.store.image(parent)).not.toBeNull();
  });
});

describe('list', () => {
  test('filters', async () => {
    const old = await image(['old:1'], { created: '2020-01-01T00:00:00Z', labels: { a: 'b', c: '' } });
    await image(['new:1', 'reg.io/x/new:2'], { created: '2024-06-01T00:00:00Z', labels: { a: 'c' } });
    await image([], { comment: 'dangling', created: '2023-01-01T00:00:00Z' });
    const cases: [Record<string, string[]>, string[]][] = [
      [{}, ['<none>', 'new:1', 'old:1', 'reg.io/x/new:2']],
      [{ dangling: ['true'] }, ['<none>']],
      [{ dangling: ['false'] }, ['new:1', 'old:1', 'reg.io/x/new:2']],
      [{ label: ['a'] }, ['new:1', 'old:1', 'reg.io/x/new:2']],
      [{ label: ['a=b', 'c'] }, ['old:1']],
      [{ reference: ['old'] }, ['old:1']],
      [{ reference: ['*:1'] }, ['new:1', 'old:1']],
      [{ reference: ['*/*/new'] }, ['reg.io/x/new:2']],
      [{ before: ['new:1'] }, ['<none>', 'old:1']],
      [{ since: [old] }, ['<none>', 'new:1', 'reg.io/x/new:2']],
      [{ until: ['2021-01-01T00:00:00Z'] }, ['old:1']],
      [{ reference: ['o*', 'n*'], label: ['a=c'] }, ['new:1']],
    ];
    for (const [filters, names] of cases) expect(engine.names(filters)).toEqual(names);
    expect(() => engine.names({ before: ['nosuch'] })).toThrow('No such image: nosuch:latest');
    expect(() => engine.names({ dangling: ['maybe'] })).toThrow('invalid filter');
    expect(() => engine.names({ reference: ['[z-a]'] })).toThrow('syntax error in pattern');
  });

  test('the newest first, with digests apart from tags', async () => {
    await image(['a:1', `a@${digest}`], { created: '2020-01-01T00:00:00Z' });
    await image(['b:1'], { created: '2021-01-01T00:00:00.5Z' });
    const [first, second] = engine.images.list({ all: false, sharedSize: false, filters: new Map() });
    expect(first).toMatchObject({
      RepoTags: ['b:1'],
      RepoDigests: [],
      Created: 1_609_459_200,
      Containers: 0,
      SharedSize: -1,
    });
    expect(second).toMatchObject({
      RepoTags: ['a:1'],
      RepoDigests: [`a@${digest}`],
      ParentId: '',
      Labels: null,
      Size: 0,
    });
  });
});

describe('prune', () => {
  test('nameless ones, or all that no container uses', async () => {
    const dangling = await image([], { comment: 'dangling' });
    const used = await image(['used:1']);
    const free = await image(['free:1', 'free:2']);
    use(used, false);
    expect((await engine.images.prune(new Map())).ImagesDeleted).toEqual([{ Deleted: dangling }]);
    expect((await engine.images.prune(new Map())).ImagesDeleted).toBeNull();
    const all = await engine.images.prune(new Map([['dangling', ['false']]]));
    expect(all.ImagesDeleted).toEqual([{ Untagged: 'free:1' }, { Untagged: 'free:2' }, { Deleted: free }]);
    expect(engine.names()).toEqual(['used:1']);
    expect(engine.events.at(-1)).toMatchObject({ Action: 'prune', Actor: { Attributes: { reclaimed: '0' } } });
  });

  test('by age and label', async () => {
    await image([], { comment: '1', created: '2020-01-01T00:00:00Z', labels: { keep: '1' } });
    const gone = await image([], { comment: '2', created: '2020-01-01T00:00:00Z' });
    await image([], { comment: '3', created: '2024-01-01T00:00:00Z' });
    const filters = new Map([
      ['until', ['2021-01-01T00:00:00Z']],
      ['label!', ['keep']],
    ]);
    expect((await engine.images.prune(filters)).ImagesDeleted).toEqual([{ Deleted: gone }]);
  });
});

test('every canonical reference in the store is one that the parser gives', async () => {
  await image(['a:1', 'reg.io:5000/x:2']);
  for (const stored of engine.store.records.all())
    for (const reference of stored.references) expect(() => parseReference(reference)).not.toThrow();
});
