import { disconnectNetwork } from '../../../client/networks/disconnect.ts';
import { defineCommand } from '../../command.ts';

export const command = defineCommand({
  usage: '[OPTIONS] NETWORK CONTAINER',
  options: { force: { kind: 'bool', short: 'f', help: 'Although the container does not answer' } },
  words: { least: 2, most: 2 },
  complete: 'networks',
  async run({ cli, options, words }) {
    const [network, container] = words as [string, string];
    await disconnectNetwork(cli.client, network, { Container: container, Force: options.force });
    return 0;
  },
});
