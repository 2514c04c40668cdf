import { inspectContainerText } from '../../../client/containers/inspect.ts';
import { defineCommand } from '../../command.ts';
import { inspectOptions } from '../../grammar/common.ts';
import { inspectAll } from '../../render/inspect.ts';

export const command = defineCommand({
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  options: {
    ...inspectOptions,
    size: { kind: 'bool', short: 's', help: 'Show how much room files take' },
  },
  words: { least: 1 },
  complete: 'all-containers',
  run({ cli, options, words }) {
    return inspectAll(cli, words, options.format, (name) =>
      inspectContainerText(cli.client, name, { size: options.size }),
    );
  },
});
