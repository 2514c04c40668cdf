import { containerChanges } from '../../../client/containers/changes.ts';
import { defineCommand } from '../../command.ts';

const letters = ['C', 'A', 'D'] as const;

export const command = defineCommand({
  usage: 'CONTAINER',
  options: {},
  words: { least: 1, most: 1 },
  complete: 'all-containers',
  async run({ cli, words }) {
    const changes = (await containerChanges(cli.client, words[0] as string)) ?? [];
    await cli.out.write(changes.map(({ Kind, Path }) => `${letters[Kind]} ${Path}\n`).join(''));
    return 0;
  },
});
