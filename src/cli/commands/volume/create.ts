import { createVolume } from '../../../client/volumes/create.ts';
import { clusterOptions } from '../../cluster-options.ts';
import { defineCommand, ExitStatus } from '../../command.ts';
import { pairs } from '../../pairs.ts';

export const command = defineCommand({
  usage: '[OPTIONS] [VOLUME]',
  options: {
    ...clusterOptions,
    driver: { kind: 'string', short: 'd', default: 'local', help: 'Volume driver' },
    label: { kind: 'list', help: 'Label of the volume (key=value)' },
    name: { kind: 'string', hidden: true, help: 'Name of the volume' },
    opt: { kind: 'list', short: 'o', value: 'map', help: 'Option of the driver (key=value)' },
  },
  words: { least: 0, most: 1 },
  async run({ cli, options, words }) {
    const [word] = words;
    if (word !== undefined && options.name !== '')
      throw new ExitStatus(
        1,
        'conflicting options: cannot specify a volume-name through both --name and as a positional arg',
      );
    const volume = await createVolume(cli.client, {
      Name: word ?? options.name,
      Driver: options.driver,
      DriverOpts: pairs(options.opt),
      Labels: pairs(options.label),
    });
    await cli.out.write(`${volume.Name}\n`);
    return 0;
  },
});
