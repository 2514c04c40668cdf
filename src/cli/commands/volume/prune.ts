import { pruneVolumes } from '../../../client/volumes/prune.ts';
import { humanSize } from '../../../wire/size.ts';
import { defineCommand } from '../../command.ts';
import { confirmPrune, pruneFilters, pruneOptions } from '../../prune.ts';

export const command = defineCommand({
  usage: '[OPTIONS]',
  options: {
    ...pruneOptions,
    all: { kind: 'bool', short: 'a', help: 'Those with a name too, not only anonymous ones' },
  },
  words: { least: 0, most: 0 },
  async run({ cli, options }) {
    const kind = options.all ? 'all volumes' : 'anonymous local volumes';
    await confirmPrune(cli, options.force, `WARNING! This will remove ${kind} not used by at least one container.`);
    const filters = new Map(pruneFilters(cli, options.filter));
    if (options.all) filters.set('all', ['true']);
    const { VolumesDeleted, SpaceReclaimed } = await pruneVolumes(cli.client, filters);
    const deleted = VolumesDeleted ?? [];
    if (deleted.length > 0) await cli.out.write(`Deleted Volumes:\n${deleted.join('\n')}\n\n`);
    await cli.out.write(`Total reclaimed space: ${humanSize(SpaceReclaimed)}\n`);
    return 0;
  },
});
