import { saveImages } from '../../../client/images/save.ts';
import { defineCommand } from '../../command.ts';
import { archiveOptions, writeArchive } from '../../write-archive.ts';

export const command = defineCommand({
  usage: '[OPTIONS] IMAGE [IMAGE...]',
  options: {
    ...archiveOptions,
    platform: { kind: 'string', help: 'Only the variant for this platform (os[/arch[/variant]])' },
  },
  words: { least: 1 },
  complete: 'images',
  async run({ cli, options, words }) {
    await writeArchive(cli, { task: 'save image', output: options.output }, () =>
      saveImages(cli.client, words, { platform: options.platform }),
    );
    return 0;
  },
});
