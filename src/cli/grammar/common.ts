/** Options that several commands share. */
import { checkFilter } from '../filters.ts';
import { defineOptions } from './options.ts';

export const formatHelp = `How to print: 'table', 'table TEMPLATE', 'json', or a Go template`;

export const listOptions = defineOptions({
  filter: {
    kind: 'list',
    short: 'f',
    value: 'filter',
    help: 'Only those that the condition (key=value) holds for',
    check: checkFilter,
  },
  format: { kind: 'string', help: formatHelp },
  quiet: { kind: 'bool', short: 'q', help: 'Print ids only' },
});

export const inspectOptions = defineOptions({
  format: { kind: 'string', short: 'f', help: `How to print: 'json', or a Go template` },
});

export const detachKeysOption = defineOptions({
  'detach-keys': {
    kind: 'string',
    help: 'Keys that leave the container without stopping it (ctrl-p,ctrl-q unless configured)',
  },
});
