import { defineCommand } from '../../command.ts';
import { makeContainer } from '../../create-container.ts';
import { containerOptions } from '../../run-options/table.ts';

export const command = defineCommand({
  usage: '[OPTIONS] IMAGE [COMMAND] [ARG...]',
  options: containerOptions,
  words: { least: 1 },
  complete: 'images',
  endsAtFirstWord: true,
  async run({ cli, options, given, words }) {
    await cli.out.write(
      `${await makeContainer(cli, { flags: options, given, words, detach: false, verb: 'create' })}\n`,
    );
    return 0;
  },
});
