import type { ImageHistoryEntry } from '../../../api/types/image.ts';
import { imageHistory } from '../../../client/images/history.ts';
import { humanSize } from '../../../wire/size.ts';
import { humanDuration } from '../../../wire/time.ts';
import { defineCommand } from '../../command.ts';
import { formatHelp } from '../../grammar/common.ts';
import { renderListing } from '../../render/listing.ts';
import type { Listing } from '../../render/listing-fields.ts';
import { ellipsis, shortId } from '../../render/text.ts';

const columns = ['ID', 'CreatedSince', 'CreatedBy', 'Size', 'Comment'];
const createdByLength = 45;

export const command = defineCommand({
  usage: '[OPTIONS] IMAGE',
  options: {
    format: { kind: 'string', help: formatHelp },
    human: {
      kind: 'bool',
      short: 'H',
      default: 'true',
      shownDefault: 'true',
      help: 'Sizes and times in a form for people',
    },
    'no-trunc': { kind: 'bool', help: 'Print everything at full length' },
    platform: { kind: 'string', help: 'The variant for this platform (os[/arch[/variant]])' },
    quiet: { kind: 'bool', short: 'q', help: 'Print ids only' },
  },
  words: { least: 1, most: 1 },
  complete: 'images',
  async run({ cli, options, words }) {
    const entries = await imageHistory(cli.client, words[0] as string, { platform: options.platform });
    const listing = historyListing(!options['no-trunc'], options.human);
    const quiet = options.quiet ? 'ID' : undefined;
    await cli.out.write(await renderListing(listing, entries, { format: options.format, columns, quiet }));
    return 0;
  },
});

function historyListing(truncate: boolean, human: boolean): Listing<ImageHistoryEntry> {
  const createdAt = (item: ImageHistoryEntry): string =>
    new Date(item.Created * 1000).toISOString().replace('.000Z', 'Z');
  const since = (item: ImageHistoryEntry): string =>
    item.Created <= 0 ? 'N/A' : `${humanDuration(Date.now() - item.Created * 1000)} ago`;
  return {
    type: '*image.historyContext',
    fields: {
      ID: { header: 'IMAGE', text: (item) => (truncate && item.Id !== '<missing>' ? shortId(item.Id) : item.Id) },
      CreatedAt: { header: 'CREATED AT', text: createdAt },
      CreatedSince: { header: human ? 'CREATED' : 'CREATED AT', text: human ? since : createdAt },
      CreatedBy: {
        header: 'CREATED BY',
        text: (item) => {
          const text = item.CreatedBy.replaceAll('\t', ' ');
          return truncate ? ellipsis(text, createdByLength) : text;
        },
      },
      Size: { header: 'SIZE', text: (item) => (human ? humanSize(item.Size, 3) : String(item.Size)) },
      Comment: { header: 'COMMENT', text: (item) => item.Comment },
    },
  };
}
