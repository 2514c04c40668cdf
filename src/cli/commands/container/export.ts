import { exportContainer } from '../../../client/containers/export.ts';
import { defineCommand } from '../../command.ts';
import { archiveOptions, writeArchive } from '../../write-archive.ts';

export const command = defineCommand({
  usage: '[OPTIONS] CONTAINER',
  options: archiveOptions,
  words: { least: 1, most: 1 },
  complete: 'all-containers',
  async run({ cli, options, words }) {
    await writeArchive(cli, { task: 'export container', output: options.output }, () =>
      exportContainer(cli.client, words[0] as string),
    );
    return 0;
  },
});
