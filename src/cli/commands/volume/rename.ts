import { renameVolume } from '../../../client/volumes/rename.ts';
import { defineCommand } from '../../command.ts';

export const command = defineCommand({
  usage: 'VOLUME NEW_NAME',
  options: {},
  words: { least: 2, most: 2 },
  complete: 'volumes',
  async run({ cli, words }) {
    const [name, to] = words as [string, string];
    await renameVolume(cli.client, name, to);
    return 0;
  },
});
