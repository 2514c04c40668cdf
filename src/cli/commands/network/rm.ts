import { errorKind } from '../../../api/errors.ts';
import { removeNetwork } from '../../../client/networks/remove.ts';
import { forEachName } from '../../batch.ts';
import { defineCommand } from '../../command.ts';

export const command = defineCommand({
  usage: 'NETWORK [NETWORK...]',
  options: { force: { kind: 'bool', short: 'f', help: 'Ignore what is not there' } },
  words: { least: 1 },
  complete: 'networks',
  run({ cli, options, words }) {
    return forEachName(cli, words, async (name) => {
      try {
        await removeNetwork(cli.client, name);
      } catch (error) {
        if (!options.force || errorKind(error) !== 'not-found') throw error;
        // With --force it is enough that the network is gone.
        return '';
      }
      return name;
    });
  },
});
