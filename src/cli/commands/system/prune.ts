import { pruneBuilds } from '../../../client/build/prune.ts';
import { pruneContainers } from '../../../client/containers/prune.ts';
import { pruneImages } from '../../../client/images/prune.ts';
import { pruneNetworks } from '../../../client/networks/prune.ts';
import { pruneVolumes } from '../../../client/volumes/prune.ts';
import { humanSize } from '../../../wire/size.ts';
import { defineCommand, ExitStatus } from '../../command.ts';
import { confirmPrune, pruneFilters, pruneOptions } from '../../prune.ts';
import { deletedLines } from '../image/rm.ts';

export const command = defineCommand({
  usage: '[OPTIONS]',
  options: {
    ...pruneOptions,
    all: { kind: 'bool', short: 'a', help: 'All images that no container uses, not only those without a name' },
    volumes: { kind: 'bool', help: 'Anonymous volumes too' },
  },
  words: { least: 0, most: 0 },
  async run({ cli, options }) {
    const filters = pruneFilters(cli, options.filter);
    if (options.volumes && filters.has('until'))
      throw new ExitStatus(1, 'ERROR: The "until" filter is not supported with "--volumes"');
    await confirmPrune(
      cli,
      options.force,
      warning(
        options,
        [...filters].flatMap(([key, values]) => values.map((value) => `${key}=${value}`)),
      ),
    );
    const parts: string[] = [];
    const add = (title: string, lines: readonly string[] | null): void => {
      if (lines && lines.length > 0) parts.push(`${title}:\n${lines.join('\n')}\n`);
    };
    const containers = await pruneContainers(cli.client, filters);
    add('Deleted Containers', containers.ContainersDeleted);
    add('Deleted Networks', (await pruneNetworks(cli.client, filters)).NetworksDeleted);
    const volumes = options.volumes
      ? await pruneVolumes(cli.client, filters)
      : { VolumesDeleted: null, SpaceReclaimed: 0 };
    add('Deleted Volumes', volumes.VolumesDeleted);
    const images = await pruneImages(cli.client, new Map([...filters, ['dangling', [String(!options.all)]]]));
    const lines = deletedLines(images.ImagesDeleted ?? [])
      .replaceAll('Untagged', 'untagged')
      .replaceAll('Deleted', 'deleted');
    add('Deleted Images', lines === '' ? null : [lines.trimEnd()]);
    const builds = await pruneBuilds(cli.client, { all: options.all, keepStorage: 0, filters });
    add('Deleted build cache objects', builds.CachesDeleted);
    const total = [containers, volumes, images, builds].reduce((sum, { SpaceReclaimed }) => sum + SpaceReclaimed, 0);
    await cli.out.write(`${parts.map((part) => `${part}\n`).join('')}Total reclaimed space: ${humanSize(total)}\n`);
    return 0;
  },
});

function warning(options: { all: boolean; volumes: boolean }, filters: readonly string[]): string {
  const what = [
    'all stopped containers',
    'all networks not used by at least one container',
    ...(options.volumes ? ['all anonymous volumes not used by at least one container'] : []),
    options.all ? 'all images without at least one container associated to them' : 'all dangling images',
    options.all ? 'all build cache' : 'unused build cache',
  ];
  const only =
    filters.length > 0
      ? `\n  Items to be pruned will be filtered with:\n${filters.map((filter) => `  - ${filter}`).join('\n')}\n`
      : '';
  return `WARNING! This will remove:\n${what.map((line) => `  - ${line}`).join('\n')}\n${only}`;
}
