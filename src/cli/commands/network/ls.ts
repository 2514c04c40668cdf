import type { NetworkInspect } from '../../../api/types/network.ts';
import { listNetworks } from '../../../client/networks/list.ts';
import { defineCommand } from '../../command.ts';
import { collectFilters } from '../../filters.ts';
import { listOptions } from '../../grammar/common.ts';
import { joinLabels } from '../../render/container-listing.ts';
import { renderListing } from '../../render/listing.ts';
import type { Listing } from '../../render/listing-fields.ts';
import { goTime, shortId } from '../../render/text.ts';

const columns = ['ID', 'Name', 'Driver', 'Scope'];

export const command = defineCommand({
  usage: '[OPTIONS]',
  options: { ...listOptions, 'no-trunc': { kind: 'bool', help: 'Print everything at full length' } },
  words: { least: 0, most: 0 },
  async run({ cli, options }) {
    const networks = await listNetworks(cli.client, collectFilters(options.filter));
    networks.sort((a, b) => a.Name.localeCompare(b.Name, 'en', { numeric: true }));
    const format = options.format || (options.quiet ? '' : (cli.config.networksFormat ?? ''));
    const quiet = options.quiet ? 'ID' : undefined;
    await cli.out.write(
      await renderListing(networkListing(!options['no-trunc']), networks, { format, columns, quiet }),
    );
    return 0;
  },
});

function networkListing(truncate: boolean): Listing<NetworkInspect> {
  return {
    type: '*network.networkContext',
    raw: 'network_id: {{.ID}}\nname: {{.Name}}\ndriver: {{.Driver}}\nscope: {{.Scope}}\n',
    fields: {
      ID: { header: 'NETWORK ID', text: (item) => (truncate ? shortId(item.Id) : item.Id) },
      Name: { header: 'NAME', text: (item) => item.Name },
      Driver: { header: 'DRIVER', text: (item) => item.Driver },
      Scope: { header: 'SCOPE', text: (item) => item.Scope },
      IPv4: { header: 'IPV4', text: (item) => String(item.EnableIPv4 ?? true) },
      IPv6: { header: 'IPV6', text: (item) => String(item.EnableIPv6) },
      Internal: { header: 'INTERNAL', text: (item) => String(item.Internal) },
      Labels: { header: 'LABELS', text: (item) => joinLabels(item.Labels) },
      CreatedAt: { header: 'CREATED AT', text: (item) => goTime(item.Created) },
    },
    label: (item, key) => item.Labels?.[key] ?? '',
  };
}
