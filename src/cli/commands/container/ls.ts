import { listContainers } from '../../../client/containers/list.ts';
import { defineCommand } from '../../command.ts';
import { collectFilters } from '../../filters.ts';
import { listOptions } from '../../grammar/common.ts';
import { containerListing } from '../../render/container-listing.ts';
import { renderListing } from '../../render/listing.ts';

const columns = ['ID', 'Image', 'Command', 'RunningFor', 'Status', 'Ports', 'Names'];

export const command = defineCommand({
  usage: '[OPTIONS]',
  options: {
    ...listOptions,
    all: { kind: 'bool', short: 'a', help: 'Those that do not run too' },
    last: { kind: 'int', short: 'n', default: '-1', help: 'The last n that were created, whatever their state' },
    latest: { kind: 'bool', short: 'l', help: 'The one that was created last, whatever its state' },
    'no-trunc': { kind: 'bool', help: 'Print everything at full length' },
    size: { kind: 'bool', short: 's', help: 'Show how much room files take' },
  },
  words: { least: 0, most: 0 },
  async run({ cli, options, given }) {
    const limit = options.latest && options.last === -1 ? 1 : options.last;
    if (options.quiet && options.format !== '' && options.format !== 'table')
      await cli.err.write('WARNING: Ignoring custom format, because both --format and --quiet are set.\n');
    const format = options.quiet ? '' : options.format || (cli.config.psFormat ?? '');
    const size = given.has('size') ? options.size : /\.Size\b|json +\./.test(format);
    const containers = await listContainers(cli.client, {
      all: options.all || limit > 0,
      limit: Math.max(0, limit),
      size,
      filters: collectFilters(options.filter),
    });
    const shown = options.size ? [...columns, 'Size'] : columns;
    const quiet = options.quiet ? 'ID' : undefined;
    await cli.out.write(
      await renderListing(containerListing(!options['no-trunc']), containers, { format, columns: shown, quiet }),
    );
    return 0;
  },
});
