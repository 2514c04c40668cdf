import { pruneImages } from '../../../client/images/prune.ts';
import { humanSize } from '../../../wire/size.ts';
import { defineCommand } from '../../command.ts';
import { confirmPrune, pruneFilters, pruneOptions } from '../../prune.ts';
import { deletedLines } from './rm.ts';

export const command = defineCommand({
  usage: '[OPTIONS]',
  options: {
    ...pruneOptions,
    all: { kind: 'bool', short: 'a', help: 'All that no container uses, not only those without a name' },
  },
  words: { least: 0, most: 0 },
  async run({ cli, options }) {
    const what = options.all ? 'all images without at least one container associated to them' : 'all dangling images';
    await confirmPrune(cli, options.force, `WARNING! This will remove ${what}.`);
    const filters = new Map(pruneFilters(cli, options.filter));
    filters.set('dangling', [String(!options.all)]);
    const { ImagesDeleted, SpaceReclaimed } = await pruneImages(cli.client, filters);
    const deleted = ImagesDeleted ?? [];
    if (deleted.length > 0)
      await cli.out.write(
        `Deleted Images:\n${deletedLines(deleted).replaceAll('Untagged', 'untagged').replaceAll('Deleted', 'deleted')}\n`,
      );
    await cli.out.write(`Total reclaimed space: ${humanSize(SpaceReclaimed)}\n`);
    return 0;
  },
});
