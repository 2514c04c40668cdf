import { tagImage } from '../../../client/images/tag.ts';
import { familiarName, parseReference, withDefaultTag } from '../../../oci/reference.ts';
import { defineCommand, ExitStatus } from '../../command.ts';

export const command = defineCommand({
  usage: 'SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]',
  options: {},
  words: { least: 2, most: 2 },
  complete: 'images',
  async run({ cli, words }) {
    const [source, target] = words as [string, string];
    const reference = parseTarget(target);
    await tagImage(cli.client, source, { repository: familiarName(reference), tag: reference.tag ?? '' });
    return 0;
  },
});

function parseTarget(text: string): ReturnType<typeof withDefaultTag> {
  try {
    const reference = parseReference(text);
    if (reference.digest) throw new Error('refusing to create a tag with a digest reference');
    return withDefaultTag(reference);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ExitStatus(
      1,
      reason.startsWith('refusing')
        ? reason
        : `Error parsing reference: ${JSON.stringify(text)} is not a valid repository/tag: ${reason}`,
    );
  }
}
