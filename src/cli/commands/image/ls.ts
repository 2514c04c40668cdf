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
    tree: { kind: 'bool', help: 'List the names of an image above each other, with what it takes' },
  },
  words: { least: 0, most: 1 },
  complete: 'images',
  async run({ cli, options, words }) {
    if (options.tree) refuseBesideTree(options);
    const filters = new Map(collectFilters(options.filter));
    if (words[0] !== undefined) filters.set('reference', [...(filters.get('reference') ?? []), words[0]]);
    const images = await listImages(cli.client, { all: options.all, digests: options.digests, filters });
    if (options.tree) {
      const { isTerminal, terminalSize } = await import('../../streams/terminal.ts');
      const { imageTree } = await import('../../render/image-tree.ts');
      const columns = (await isTerminal(1)) ? ((await terminalSize())?.columns ?? 80) : null;
      await cli.out.write(imageTree(images, columns));
      return 0;
    }
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

/** Errors: of the options that say how rows look. */
function refuseBesideTree(options: { quiet: boolean; 'no-trunc': boolean; digests: boolean; format: string }): void {
  const given = options.quiet
    ? '--quiet'
    : options['no-trunc']
      ? '--no-trunc'
      : options.digests
        ? '--show-digest'
        : options.format && '--format';
  if (given) throw new ExitStatus(1, `${given} is not yet supported with --tree`);
}
