import type { Volume } from '../../../api/types/volume.ts';
import { listVolumes } from '../../../client/volumes/list.ts';
import { humanSize } from '../../../wire/size.ts';
import { clusterOption } from '../../cluster-options.ts';
import { defineCommand } from '../../command.ts';
import { collectFilters } from '../../filters.ts';
import { listOptions } from '../../grammar/common.ts';
import { joinLabels } from '../../render/container-listing.ts';
import { renderListing } from '../../render/listing.ts';
import type { Listing } from '../../render/listing-fields.ts';

const columns = ['Driver', 'Name'];

export const command = defineCommand({
  usage: '[OPTIONS]',
  options: { ...listOptions, ...clusterOption },
  words: { least: 0, most: 0 },
  async run({ cli, options }) {
    const { Volumes } = await listVolumes(cli.client, collectFilters(options.filter));
    const volumes = (Volumes ?? []).sort((a, b) => a.Name.localeCompare(b.Name, 'en', { numeric: true }));
    const format = options.format || (options.quiet ? '' : (cli.config.volumesFormat ?? ''));
    const quiet = options.quiet ? 'Name' : undefined;
    await cli.out.write(await renderListing(volumeListing, volumes, { format, columns, quiet }));
    return 0;
  },
});

const notAvailable = (): string => 'N/A';

export const volumeListing: Listing<Volume> = {
  type: '*formatter.volumeContext',
  raw: 'name: {{.Name}}\ndriver: {{.Driver}}\n',
  fields: {
    Name: { header: 'VOLUME NAME', text: (item) => item.Name },
    Driver: { header: 'DRIVER', text: (item) => item.Driver },
    Scope: { header: 'SCOPE', text: (item) => item.Scope },
    Mountpoint: { header: 'MOUNTPOINT', text: (item) => item.Mountpoint },
    Labels: { header: 'LABELS', text: (item) => joinLabels(item.Labels) },
    Links: { header: 'LINKS', text: (item) => (item.UsageData ? String(item.UsageData.RefCount) : 'N/A') },
    Size: { header: 'SIZE', text: (item) => (item.UsageData ? humanSize(item.UsageData.Size) : 'N/A') },
    Group: { header: 'GROUP', text: notAvailable },
    Availability: { header: 'AVAILABILITY', text: notAvailable },
    Status: { header: 'STATUS', text: notAvailable },
  },
  label: (item, key) => item.Labels?.[key] ?? '',
};
