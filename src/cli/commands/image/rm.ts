import { errorKind } from '../../../api/errors.ts';
import type { ImageDeleteItem } from '../../../api/types/image.ts';
import { removeImage } from '../../../client/images/remove.ts';
import { defineCommand } from '../../command.ts';
import { describeError } from '../../describe-error.ts';

export const command = defineCommand({
  usage: '[OPTIONS] IMAGE [IMAGE...]',
  options: {
    force: { kind: 'bool', short: 'f', help: 'Remove it although containers use it or it has several names' },
    'no-prune': { kind: 'bool', help: 'Keep parents without a name' },
    platform: { kind: 'csv', help: 'Only the variant for this platform (os[/arch[/variant]])' },
  },
  words: { least: 1 },
  complete: 'images',
  async run({ cli, options, words }) {
    const errors: string[] = [];
    let failed = false;
    for (const image of words) {
      try {
        const removed = await removeImage(cli.client, image, {
          force: options.force,
          noPrune: options['no-prune'],
          platforms: options.platform,
        });
        await cli.out.write(deletedLines(removed));
      } catch (error) {
        // With --force what is not there is no failure, but it is said all the same.
        failed ||= !(options.force && errorKind(error) === 'not-found');
        errors.push(describeError(error));
      }
    }
    if (errors.length > 0) await cli.err.write(`${errors.join('\n')}\n`);
    return failed ? 1 : 0;
  },
});

export function deletedLines(items: readonly ImageDeleteItem[]): string {
  return items.map((item) => (item.Deleted ? `Deleted: ${item.Deleted}\n` : `Untagged: ${item.Untagged}\n`)).join('');
}
