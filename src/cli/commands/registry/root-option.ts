import { defineOptions } from '../../grammar/options.ts';

export const rootOption = defineOptions({
  root: {
    kind: 'string',
    value: 'dir',
    default: '/var/lib/registry',
    help: "The registry's directory",
    complete: 'files',
  },
});
