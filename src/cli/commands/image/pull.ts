import { canonicalString, isNameOnly, parseReference, withDefaultTag } from '../../../oci/reference.ts';
import { defineCommand, ExitStatus } from '../../command.ts';
import { pullWithProgress } from '../../pull-image.ts';

export const command = defineCommand({
  usage: '[OPTIONS] NAME[:TAG|@DIGEST]',
  options: {
    'all-tags': { kind: 'bool', short: 'a', help: 'Every tag of the repository' },
    'disable-content-trust': {
      kind: 'bool',
      default: 'true',
      hidden: true,
      help: 'Images are not checked by signature',
    },
    platform: { kind: 'string', help: 'Platform of the image (os[/arch[/variant]])' },
    quiet: { kind: 'bool', short: 'q', help: 'Do not show the progress' },
  },
  words: { least: 1, most: 1 },
  async run({ cli, options, words }) {
    const [image] = words as [string];
    const reference = parseReference(image);
    const allTags = options['all-tags'];
    if (allTags && !isNameOnly(reference)) throw new ExitStatus(1, "tag can't be used with --all-tags/-a");
    if (!allTags && isNameOnly(reference) && !options.quiet) await cli.out.write('Using default tag: latest\n');
    await pullWithProgress(cli, { image, platform: options.platform, quiet: options.quiet, allTags, sink: cli.out });
    await cli.out.write(`${canonicalString(allTags ? reference : withDefaultTag(reference))}\n`);
    return 0;
  },
});
