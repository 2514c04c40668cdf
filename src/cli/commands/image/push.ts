import { pushImage } from '../../../client/images/push.ts';
import { readMessages } from '../../../client/messages.ts';
import { canonicalString, familiarName, isNameOnly, parseReference, withDefaultTag } from '../../../oci/reference.ts';
import { defineCommand, ExitStatus } from '../../command.ts';
import { registryAuthHeader } from '../../config/credentials.ts';
import { progressColumns } from '../../pull-image.ts';
import { showProgress } from '../../render/progress.ts';

export const command = defineCommand({
  usage: '[OPTIONS] NAME[:TAG]',
  options: {
    'all-tags': { kind: 'bool', short: 'a', help: 'Every tag of the repository' },
    'disable-content-trust': { kind: 'bool', default: 'true', hidden: true, help: 'Images are not signed' },
    platform: { kind: 'string', help: 'Platform of the image (os[/arch[/variant]])' },
    quiet: { kind: 'bool', short: 'q', help: 'Do not show the progress' },
  },
  words: { least: 1, most: 1 },
  async run({ cli, options, words }) {
    const [image] = words as [string];
    const named = parseReference(image);
    const allTags = options['all-tags'];
    if (allTags && !isNameOnly(named)) throw new ExitStatus(1, "tag can't be used with --all-tags/-a");
    const reference = allTags ? named : withDefaultTag(named);
    if (!allTags && isNameOnly(named) && !options.quiet) await cli.out.write('Using default tag: latest\n');
    const answer = await pushImage(cli.client, {
      image: familiarName(reference),
      tag: reference.tag ?? '',
      platform: options.platform,
      registryAuth: await registryAuthHeader(cli, reference.domain),
    });
    const silent = { write: () => Promise.resolve() };
    await showProgress(readMessages(answer), options.quiet ? silent : cli.out, {
      columns: options.quiet ? undefined : await progressColumns(1),
    });
    if (options.quiet) await cli.out.write(`${canonicalString(reference)}\n`);
    return 0;
  },
});
