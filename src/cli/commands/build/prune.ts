import { pruneBuilds } from '../../../client/build/prune.ts';
import { humanSize } from '../../../wire/size.ts';
import { defineCommand } from '../../command.ts';
import { collectFilters } from '../../filters.ts';
import { confirmPrune, pruneOptions } from '../../prune.ts';

export const command = defineCommand({
  usage: '[OPTIONS]',
  options: {
    ...pruneOptions,
    all: { kind: 'bool', short: 'a', help: 'All of it, not only what no image has' },
    'keep-storage': { kind: 'bytes', help: 'How much may stay' },
  },
  words: { least: 0, most: 0 },
  async run({ cli, options }) {
    const what = options.all ? 'all build cache' : 'all dangling build cache';
    await confirmPrune(cli, options.force, `WARNING! This will remove ${what}.`);
    const report = await pruneBuilds(cli.client, {
      all: options.all,
      keepStorage: options['keep-storage'],
      filters: collectFilters(options.filter),
    });
    const deleted = report.CachesDeleted ?? [];
    if (deleted.length > 0) await cli.out.write(`Deleted build cache objects:\n${deleted.join('\n')}\n\n`);
    await cli.out.write(`Total reclaimed space: ${humanSize(report.SpaceReclaimed)}\n`);
    return 0;
  },
});
