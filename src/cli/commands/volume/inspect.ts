import { inspectVolumeText } from '../../../client/volumes/inspect.ts';
import { defineCommand } from '../../command.ts';
import { inspectOptions } from '../../grammar/common.ts';
import { inspectAll } from '../../render/inspect.ts';

export const command = defineCommand({
  usage: '[OPTIONS] VOLUME [VOLUME...]',
  options: inspectOptions,
  words: { least: 1 },
  complete: 'volumes',
  run({ cli, options, words }) {
    return inspectAll(cli, words, options.format, (name) => inspectVolumeText(cli.client, name));
  },
});
