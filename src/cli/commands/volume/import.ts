import { importVolume } from '../../../client/volumes/import.ts';
import { defineCommand } from '../../command.ts';
import { openUpload } from '../../files.ts';

export const command = defineCommand({
  usage: 'VOLUME [FILE|-]',
  options: {},
  words: { least: 1, most: 2 },
  complete: 'volumes',
  async run({ cli, words }) {
    const [name, source = '-'] = words as [string, string | undefined];
    const { Name } = await importVolume(cli.client, name, await openUpload(source === '-' ? '' : source));
    await cli.out.write(`${Name}\n`);
    return 0;
  },
});
