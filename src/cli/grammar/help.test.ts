import { expect, test } from 'bun:test';
import { renderHelp } from './help.ts';
import { defineOptions } from './options.ts';

const options = defineOptions({
  all: { kind: 'bool', short: 'a', help: 'Everything' },
  format: {
    kind: 'string',
    help: 'How to print it, in one of the ways that are described where nobody ever looks for them',
  },
  last: { kind: 'int', short: 'n', default: '-1', help: 'The last n' },
  pull: { kind: 'string', default: 'missing', help: 'When to pull' },
  secret: { kind: 'bool', hidden: true, help: 'Not shown' },
});

test('the layout of Docker, wrapped at the width', () => {
  const page = {
    name: 'berth ps',
    usage: '[OPTIONS]',
    summary: 'List containers',
    aliases: ['container ls', 'ps'],
    options,
  };
  expect(renderHelp(page, 80)).toBe(`Usage:  berth ps [OPTIONS]

List containers

Aliases:
  berth container ls, berth ps

Options:
  -a, --all             Everything
      --format string   How to print it, in one of the ways that are
                        described where nobody ever looks for them
  -n, --last int        The last n (default -1)
      --pull string     When to pull (default "missing")
`);
});

test('without options and further names', () => {
  expect(renderHelp({ name: 'berth tag', usage: 'A B', summary: 'Tag', options: {} }, 80)).toBe(
    'Usage:  berth tag A B\n\nTag\n',
  );
});
