import { cloneVolume } from '../../../client/volumes/clone.ts';
import { defineCommand } from '../../command.ts';

export const command = defineCommand({
  usage: 'VOLUME NEW_NAME',
  options: {},
  words: { least: 2, most: 2 },
  complete: 'volumes',
  async run({ cli, words }) {
    const [name, to] = words as [string, string];
    const { Name } = await cloneVolume(cli.client, name, to);
    await cli.out.write(`${Name}\n`);
    return 0;
  },
});
