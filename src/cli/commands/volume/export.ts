import { exportVolume } from '../../../client/volumes/export.ts';
import { defineCommand } from '../../command.ts';
import { archiveOptions, writeArchive } from '../../write-archive.ts';

export const command = defineCommand({
  usage: '[OPTIONS] VOLUME',
  options: archiveOptions,
  words: { least: 1, most: 1 },
  complete: 'volumes',
  async run({ cli, options, words }) {
    await writeArchive(cli, { task: 'export volume', output: options.output }, () =>
      exportVolume(cli.client, words[0] as string),
    );
    return 0;
  },
});
