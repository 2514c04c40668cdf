import { defineCommand } from '../../command.ts';
import { fullName, ManifestListFiles } from './lists.ts';

export const command = defineCommand({
  usage: 'MANIFEST_LIST [MANIFEST_LIST...]',
  options: {},
  words: { least: 1 },
  async run({ cli, words }) {
    const files = new ManifestListFiles(cli.configDirectory);
    for (const list of words.map(fullName)) await files.remove(list);
    return 0;
  },
});
