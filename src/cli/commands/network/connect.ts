import { connectNetwork } from '../../../client/networks/connect.ts';
import { defineCommand } from '../../command.ts';
import { pairs } from '../../pairs.ts';

export const command = defineCommand({
  usage: '[OPTIONS] NETWORK CONTAINER',
  options: {
    alias: { kind: 'csv', help: 'Further name of the container inside the network' },
    'driver-opt': { kind: 'csv', help: 'Option of the driver (key=value)' },
    'gw-priority': { kind: 'int', help: 'The network with the highest one gives the default gateway' },
    ip: { kind: 'string', help: 'IPv4 address (172.30.100.104)' },
    ip6: { kind: 'string', help: 'IPv6 address (2001:db8::33)' },
    link: { kind: 'list', help: 'Link to another container (NAME[:ALIAS])', complete: 'containers' },
    'link-local-ip': { kind: 'csv', help: 'Link-local address' },
  },
  words: { least: 2, most: 2 },
  complete: 'networks',
  async run({ cli, options, words }) {
    const [network, container] = words as [string, string];
    await connectNetwork(cli.client, network, {
      Container: container,
      EndpointConfig: {
        IPAMConfig: {
          ...(options.ip && { IPv4Address: options.ip }),
          ...(options.ip6 && { IPv6Address: options.ip6 }),
          ...(options['link-local-ip'].length > 0 && { LinkLocalIPs: options['link-local-ip'] }),
        },
        Links: options.link,
        Aliases: options.alias,
        DriverOpts: pairs(options['driver-opt']),
        GwPriority: options['gw-priority'],
      },
    });
    return 0;
  },
});
