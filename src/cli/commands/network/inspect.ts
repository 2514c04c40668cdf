import { inspectNetworkText } from '../../../client/networks/inspect.ts';
import { defineCommand } from '../../command.ts';
import { inspectOptions } from '../../grammar/common.ts';
import { inspectAll } from '../../render/inspect.ts';

export const command = defineCommand({
  usage: '[OPTIONS] NETWORK [NETWORK...]',
  options: {
    ...inspectOptions,
    verbose: { kind: 'bool', short: 'v', help: 'Say more' },
  },
  words: { least: 1 },
  complete: 'networks',
  run({ cli, options, words }) {
    return inspectAll(cli, words, options.format, (name) =>
      inspectNetworkText(cli.client, name, { verbose: options.verbose }),
    );
  },
});
