import type { VolumeSize } from '../../../api/types/volume.ts';
import { volumeSizes } from '../../../client/volumes/sizes.ts';
import { humanSize } from '../../../wire/size.ts';
import { defineCommand } from '../../command.ts';
import { renderListing } from '../../render/listing.ts';
import type { Listing } from '../../render/listing-fields.ts';

export const command = defineCommand({
  usage: '[OPTIONS] [VOLUME...]',
  options: {
    format: { kind: 'string', help: "Go template, or 'json'" },
  },
  words: { least: 0 },
  complete: 'volumes',
  async run({ cli, options, words }) {
    const columns = ['Name', 'Size', 'DiskSize', 'Entries', 'Links'];
    const sizes = await volumeSizes(cli.client, words);
    await cli.out.write(await renderListing(sizeListing, sizes, { format: options.format, columns }));
    return 0;
  },
});

const sizeListing: Listing<VolumeSize> = {
  type: '*formatter.volumeSizeContext',
  fields: {
    Name: { header: 'VOLUME NAME', text: (item) => item.Name },
    Size: { header: 'SIZE', text: (item) => humanSize(item.Size) },
    DiskSize: { header: 'ON DISK', text: (item) => humanSize(item.DiskSize) },
    Entries: { header: 'ENTRIES', text: (item) => String(item.Entries) },
    Links: { header: 'LINKS', text: (item) => String(item.RefCount) },
  },
};
