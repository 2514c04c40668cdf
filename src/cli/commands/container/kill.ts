import { killContainer } from '../../../client/containers/kill.ts';
import { forEachName } from '../../batch.ts';
import { defineCommand } from '../../command.ts';

export const command = defineCommand({
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  options: {
    signal: { kind: 'string', short: 's', help: 'Signal to send' },
  },
  words: { least: 1 },
  complete: 'containers',
  run({ cli, options, words }) {
    return forEachName(cli, words, async (name) => {
      await killContainer(cli.client, name, { signal: options.signal });
      return name;
    });
  },
});
