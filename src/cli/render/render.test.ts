import { describe, expect, test } from 'bun:test';
import type { ImageSummary } from '../../api/types/image.ts';
import { imageRows } from './image-listing.ts';
import { indentJson } from './indent-json.ts';
import { renderListing } from './listing.ts';
import type { Listing } from './listing-fields.ts';
import { formatPorts } from './ports.ts';
import { showProgress } from './progress.ts';
import { renderTable } from './table.ts';
import { ellipsis, goTime, shortId } from './text.ts';

test('columns are at least ten wide, with three blanks between', () => {
  expect(
    renderTable([
      ['A', 'LONG HEADER', 'LAST'],
      ['1', 'x', 'y'],
      ['…', 'ä', ''],
    ]),
  ).toBe('A         LONG HEADER   LAST\n1         x             y\n…         ä             \n');
});

describe('ports', () => {
  const tcp = (PrivatePort: number, PublicPort?: number, IP?: string) => ({ PrivatePort, PublicPort, IP, Type: 'tcp' });
  test.each([
    [[], ''],
    [[tcp(80)], '80/tcp'],
    [[tcp(82), tcp(80), tcp(81), tcp(90)], '80-82/tcp, 90/tcp'],
    [[tcp(80, 8080, '0.0.0.0'), tcp(80, 8080, '::')], '0.0.0.0:8080->80/tcp, [::]:8080->80/tcp'],
    [[tcp(80, 80, '0.0.0.0'), tcp(81, 81, '0.0.0.0')], '0.0.0.0:80-81->80-81/tcp'],
    [[tcp(81, 9000, '127.0.0.1'), tcp(80), tcp(82)], '80/tcp, 82/tcp, 127.0.0.1:9000->81/tcp'],
  ])('%j', (ports, expected) => {
    expect(formatPorts(ports)).toBe(expected);
  });
});

test('texts', () => {
  expect(ellipsis('abcdef', 4)).toBe('abc…');
  expect(ellipsis('abcd', 4)).toBe('abcd');
  expect(shortId('sha256:0123456789abcdef')).toBe('0123456789ab');
  expect(goTime('2026-11-21T09:39:53.950Z')).toBe('2026-11-21 09:39:53.95 +0000 UTC');
  expect(goTime('2026-11-21T09:39:53Z')).toBe('2026-11-21 09:39:53 +0000 UTC');
});

test('JSON is laid out with every digit and escape kept', () => {
  const text = '{"a":18446744073709551615,"b":[],"c":{},"d":["x\\u003e{,}",1.50],"e":{ }}';
  expect(indentJson(text, '    ')).toBe(`{
    "a": 18446744073709551615,
    "b": [],
    "c": {},
    "d": [
        "x\\u003e{,}",
        1.50
    ],
    "e": {}
}`);
});

describe('lists', () => {
  interface Item {
    id: string;
    labels: Record<string, string>;
  }
  const listing: Listing<Item> = {
    type: '*test.Context',
    fields: {
      ID: { header: 'THE ID', text: (item) => item.id },
      Extra: { header: 'EXTRA', text: () => '<x>', json: () => null },
    },
    label: (item, key) => item.labels[key] ?? '',
  };
  const items: Item[] = [
    { id: '1', labels: { 'a.b-c': 'v' } },
    { id: '2', labels: {} },
  ];
  const show = (format: string, quiet?: string) =>
    renderListing(listing, items, { format, columns: ['ID', 'Extra'], quiet });

  test.each([
    ['', 'THE ID    EXTRA\n1         <x>\n2         <x>\n'],
    ['table', 'THE ID    EXTRA\n1         <x>\n2         <x>\n'],
    ['json', '{"Extra":null,"ID":"1"}\n{"Extra":null,"ID":"2"}\n'],
    ['{{.ID}}', '1\n2\n'],
    ['table {{.ID}}\\t{{upper .ID}}', 'THE ID    THE ID\n1         1\n2         2\n'],
    ['table {{.Label "a.b-c"}}\\t{{.ID}}', 'b c       THE ID\nv         1\n          2\n'],
  ])('--format %p', async (format, expected) => {
    expect(await show(format)).toBe(expected);
  });

  test('--quiet', async () => {
    expect(await show('', 'ID')).toBe('1\n2\n');
    expect(await show('table', 'ID')).toBe('1\n2\n');
  });

  test('an unknown field is told, rows or none', async () => {
    const message = `template parsing error: template: :1:2: executing "" at <.Foo>: can't evaluate field Foo in type *test.Context`;
    await expect(show('{{.Foo}}')).rejects.toThrow(message);
    await expect(renderListing(listing, [], { format: '{{.Foo}}', columns: [] })).rejects.toThrow(message);
    await expect(show('{{.ID')).rejects.toThrow('template parsing error: template: :1: unclosed action');
  });
});

test('an image has a row for each of its names', () => {
  const image = (RepoTags: string[], RepoDigests: string[]): ImageSummary => ({
    Containers: -1,
    Created: 0,
    Id: 'sha256:1',
    Labels: null,
    ParentId: '',
    RepoDigests,
    RepoTags,
    SharedSize: -1,
    Size: 0,
  });
  const rows = (tags: string[], digests: string[], shown: boolean) =>
    imageRows([image(tags, digests)], shown).map((row) => `${row.repository} ${row.tag} ${row.digest}`);
  expect(rows([], [], false)).toEqual(['<none> <none> <none>']);
  expect(rows(['h:5000/a:1', 'h:5000/a:2'], ['h:5000/a@sha256:d'], false)).toEqual([
    'h:5000/a 1 <none>',
    'h:5000/a 2 <none>',
  ]);
  expect(rows(['a:1'], ['a@sha256:d', 'b@sha256:e'], true)).toEqual(['a 1 sha256:d', 'b <none> sha256:e']);
});

describe('progress', () => {
  const messages = [
    { status: 'Pulling from library/x', id: 'latest' },
    { status: 'Pulling fs layer', id: 'aaa', progressDetail: {} },
    { status: 'Downloading', id: 'aaa', progressDetail: { current: 500, total: 1000 } },
    { status: 'Download complete', id: 'aaa', progressDetail: {} },
    { status: 'Status: done' },
  ];
  async function draw(columns: number | undefined): Promise<string> {
    let text = '';
    const sink = {
      async write(data: string | Uint8Array): Promise<void> {
        text += data;
      },
    };
    async function* all() {
      yield* messages;
    }
    await showProgress(all(), sink, { columns });
    return text;
  }

  test('plain lines where there is no terminal', async () => {
    expect(await draw(undefined)).toBe(
      'latest: Pulling from library/x\naaa: Pulling fs layer\naaa: Download complete\nStatus: done\n',
    );
  });

  test('a bar that moves on a terminal', async () => {
    const text = await draw(120);
    expect(text).toContain(
      `\x1b[1A\x1b[2K\raaa: Downloading [${'='.repeat(25)}>${' '.repeat(25)}]      500B/1kB\r\x1b[1B`,
    );
    expect(text).toEndWith('Status: done\n');
    expect(await draw(80)).toContain('aaa: Downloading     500B/1kB');
  });

  test('a failure half way is an error', async () => {
    async function* broken() {
      yield { errorDetail: { message: 'no space' }, error: 'no space' };
    }
    const sink = { write: async () => undefined };
    await expect(showProgress(broken(), sink, { columns: undefined })).rejects.toThrow('no space');
  });
});
