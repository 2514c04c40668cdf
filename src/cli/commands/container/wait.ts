import { waitContainer } from '../../../client/containers/wait.ts';
import { forEachName } from '../../batch.ts';
import { defineCommand } from '../../command.ts';

export const command = defineCommand({
  usage: 'CONTAINER [CONTAINER...]',
  options: {},
  words: { least: 1 },
  complete: 'containers',
  run({ cli, words }) {
    return forEachName(cli, words, async (name) => {
      const waiting = await waitContainer(cli.client, name, { condition: 'not-running' });
      return String((await waiting.result).StatusCode);
    });
  },
});
