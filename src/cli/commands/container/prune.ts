import { pruneContainers } from '../../../client/containers/prune.ts';
import { humanSize } from '../../../wire/size.ts';
import { defineCommand } from '../../command.ts';
import { confirmPrune, pruneFilters, pruneOptions } from '../../prune.ts';

export const command = defineCommand({
  usage: '[OPTIONS]',
  options: pruneOptions,
  words: { least: 0, most: 0 },
  async run({ cli, options }) {
    await confirmPrune(cli, options.force, 'WARNING! This will remove all stopped containers.');
    const { ContainersDeleted, SpaceReclaimed } = await pruneContainers(cli.client, pruneFilters(cli, options.filter));
    const deleted = ContainersDeleted ?? [];
    if (deleted.length > 0) await cli.out.write(`Deleted Containers:\n${deleted.join('\n')}\n\n`);
    await cli.out.write(`Total reclaimed space: ${humanSize(SpaceReclaimed)}\n`);
    return 0;
  },
});
