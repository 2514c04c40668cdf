import { pruneNetworks } from '../../../client/networks/prune.ts';
import { defineCommand } from '../../command.ts';
import { confirmPrune, pruneFilters, pruneOptions } from '../../prune.ts';

export const command = defineCommand({
  usage: '[OPTIONS]',
  options: pruneOptions,
  words: { least: 0, most: 0 },
  async run({ cli, options }) {
    const warning = 'WARNING! This will remove all custom networks not used by at least one container.';
    await confirmPrune(cli, options.force, warning);
    const { NetworksDeleted } = await pruneNetworks(cli.client, pruneFilters(cli, options.filter));
    const deleted = NetworksDeleted ?? [];
    if (deleted.length > 0) await cli.out.write(`Deleted Networks:\n${deleted.join('\n')}\n\n`);
    return 0;
  },
});
