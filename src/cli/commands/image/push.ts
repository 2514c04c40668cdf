import { pushImage } from '../../../client/images/push.ts';
import { readMessages } from '../../../client/messages.ts';
import { canonicalString, familiarName, isNameOnly, parseReference, withDefaultTag } from '../../../oci/reference.ts';
import { type Cli, defineCommand, ExitStatus } from '../../command.ts';
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
    await pushWithProgress(cli, {
      image,
      allTags: options['all-tags'],
      platform: options.platform,
      quiet: options.quiet,
    });
    return 0;
  },
});

/** A push with its progress shown. Errors: the engine's; a failure half way as a plain `Error`. */
export async function pushWithProgress(
  cli: Cli,
  request: { image: string; allTags: boolean; platform: string; quiet: boolean },
): Promise<void> {
  const { image, allTags, platform, quiet } = request;
  const named = parseReference(image);
  if (allTags && !isNameOnly(named)) throw new ExitStatus(1, "tag can't be used with --all-tags/-a");
  const reference = allTags ? named : withDefaultTag(named);
  if (!allTags && isNameOnly(named) && !quiet) await cli.out.write('Using default tag: latest\n');
  const answer = await pushImage(cli.client, {
    image: familiarName(reference),
    tag: reference.tag ?? '',
    platform,
    registryAuth: await registryAuthHeader(cli, reference.domain),
  });
  const silent = { write: () => Promise.resolve() };
  await showProgress(readMessages(answer), quiet ? silent : cli.out, {
    columns: quiet ? undefined : await progressColumns(1),
  });
  if (quiet) await cli.out.write(`${canonicalString(reference)}\n`);
}
