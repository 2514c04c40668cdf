import { pauseContainer } from '../../../client/containers/pause.ts';
import { forEachName } from '../../batch.ts';
import { defineCommand } from '../../command.ts';

export const command = defineCommand({
  usage: 'CONTAINER [CONTAINER...]',
  options: {},
  words: { least: 1 },
  complete: 'containers',
  run({ cli, words }) {
    return forEachName(cli, words, async (name) => {
      await pauseContainer(cli.client, name);
      return name;
    });
  },
});
