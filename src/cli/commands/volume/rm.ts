import { removeVolume } from '../../../client/volumes/remove.ts';
import { forEachName } from '../../batch.ts';
import { defineCommand } from '../../command.ts';

export const command = defineCommand({
  usage: '[OPTIONS] VOLUME [VOLUME...]',
  options: {
    force: { kind: 'bool', short: 'f', help: 'Ignore what is not there' },
  },
  words: { least: 1 },
  complete: 'volumes',
  run({ cli, options, words }) {
    return forEachName(cli, words, async (name) => {
      await removeVolume(cli.client, name, { force: options.force });
      return name;
    });
  },
});
