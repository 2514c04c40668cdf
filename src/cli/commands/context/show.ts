import { defineCommand } from '../../command.ts';

export const command = defineCommand({
  usage: '',
  options: {},
  words: { least: 0, most: 0 },
  async run({ cli }) {
    await cli.out.write(`${cli.context}\n`);
    return 0;
  },
});
