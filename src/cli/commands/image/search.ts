import type { ImageSearchResult } from '../../../api/types/image.ts';
import { searchImages } from '../../../client/images/search.ts';
import { defineCommand } from '../../command.ts';
import { registryAuthHeader } from '../../config/credentials.ts';
import { checkFilter, collectFilters } from '../../filters.ts';
import { formatHelp } from '../../grammar/common.ts';
import { renderListing } from '../../render/listing.ts';
import type { Listing } from '../../render/listing-fields.ts';

/** Characters of a description, as Docker cuts it. */
const shortDescription = 45;

export const command = defineCommand({
  usage: '[OPTIONS] TERM',
  options: {
    filter: {
      kind: 'list',
      short: 'f',
      value: 'filter',
      help: 'Only those that the condition holds for: is-official=true, stars=3',
      check: checkFilter,
    },
    format: { kind: 'string', help: formatHelp },
    limit: { kind: 'int', help: 'At most so many results (25 unless told otherwise)' },
    'no-trunc': { kind: 'bool', help: 'Show whole descriptions' },
  },
  words: { least: 1, most: 1 },
  async run({ cli, options, words }) {
    const [term] = words as [string];
    const host = /^([^/]*[.:][^/]*|localhost)\//.exec(term)?.[1];
    const results = await searchImages(cli.client, term, {
      limit: options.limit || undefined,
      filters: collectFilters(options.filter),
      registryAuth: await registryAuthHeader(cli, host ?? 'docker.io'),
    });
    const columns = ['Name', 'Description', 'StarCount', 'IsOfficial'];
    const listing = searchListing(!options['no-trunc']);
    await cli.out.write(await renderListing(listing, results, { format: options.format, columns }));
    return 0;
  },
});

function searchListing(truncate: boolean): Listing<ImageSearchResult> {
  const yes = (value: boolean): string => (value ? '[OK]' : '');
  return {
    type: '*formatter.searchContext',
    fields: {
      Name: { header: 'NAME', text: ({ name }) => name },
      Description: { header: 'DESCRIPTION', text: ({ description }) => describe(description, truncate) },
      StarCount: { header: 'STARS', text: (result) => String(result.star_count) },
      IsOfficial: { header: 'OFFICIAL', text: (result) => yes(result.is_official) },
      IsAutomated: { header: 'AUTOMATED', text: (result) => yes(result.is_automated) },
    },
  };
}

function describe(text: string, truncate: boolean): string {
  const line = text.replace(/[\r\n]/g, ' ');
  return truncate && line.length > shortDescription ? `${line.slice(0, shortDescription - 1)}…` : line;
}
