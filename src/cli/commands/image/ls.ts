import { listImages } from '../../../client/images/list.ts';
import { defineCommand, ExitStatus } from '../../command.ts';
import { collectFilters } from '../../filters.ts';
import { listOptions } from '../../grammar/common.ts';
import { imageListing, imageRows } from '../../render/image-listing.ts';
import { renderListing } from '../../render/listing.ts';

export const command = defineCommand({
  usage: '[OPTIONS] [REPOSITORY[:TAG]]',
  options: {
    ...listOptions,
    all: { kind: 'bool', short: 'a', help: 'Intermediate images too' },
    digests: { kind: 'bool', help: 'Show digests' },
    'no-trunc': { kind: 'bool', help: 'Print everything at full length' },
    tree: { kind: 'bool', hidden: true, help: 'Show the variants of each image' },
  },
  words: { least: 0, most: 1 },
  complete: 'images',
  async run({ cli, options, words }) {
    if (options.tree) throw new ExitStatus(1, '--tree is not supported yet');
    const filters = new Map(collectFilters(options.filter));
    if (words[0] !== undefined) filters.set('reference', [...(filters.get('reference') ?? []), words[0]]);
    const images = await listImages(cli.client, { all: options.all, digests: options.digests, filters });
    const format = options.format || (options.quiet ? '' : (cli.config.imagesFormat ?? ''));
    const digests = options.digests || /\.Digest\b/.test(format);
    const columns = ['Repository', 'Tag', ...(options.digests ? ['Digest'] : []), 'ID', 'CreatedSince', 'Size'];
    const quiet = options.quiet ? 'ID' : undefined;
    await cli.out.write(
      await renderListing(imageListing(!options['no-trunc']), imageRows(images, digests), { format, columns, quiet }),
    );
    return 0;
  },
});
