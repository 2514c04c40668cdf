import { inspectImageText } from '../../../client/images/inspect.ts';
import { defineCommand } from '../../command.ts';
import { inspectOptions } from '../../grammar/common.ts';
import { inspectAll } from '../../render/inspect.ts';

export const command = defineCommand({
  usage: '[OPTIONS] IMAGE [IMAGE...]',
  options: {
    ...inspectOptions,
    platform: { kind: 'string', help: 'The variant for this platform (os[/arch[/variant]])' },
  },
  words: { least: 1 },
  complete: 'images',
  run({ cli, options, words }) {
    return inspectAll(cli, words, options.format, (name) =>
      inspectImageText(cli.client, name, { platform: options.platform }),
    );
  },
});
