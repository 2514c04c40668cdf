import { saveImages } from '../../../client/images/save.ts';
import { defineCommand, ExitStatus } from '../../command.ts';
import { writeToFile } from '../../files.ts';

export const command = defineCommand({
  usage: '[OPTIONS] IMAGE [IMAGE...]',
  options: {
    output: { kind: 'string', short: 'o', help: 'File to write', complete: 'files' },
    platform: { kind: 'string', help: 'Only the variant for this platform (os[/arch[/variant]])' },
  },
  words: { least: 1 },
  complete: 'images',
  async run({ cli, options, words }) {
    if (options.output === '') {
      const { isTerminal } = await import('../../streams/terminal.ts');
      if (await isTerminal(1))
        throw new ExitStatus(1, 'cowardly refusing to save to a terminal. Use the -o flag or redirect');
    }
    const answer = await saveImages(cli.client, words, { platform: options.platform });
    if (options.output !== '') await writeToFile(options.output, answer.body);
    else
      for (let bytes = await answer.body.read(); bytes !== null; bytes = await answer.body.read())
        await cli.out.write(bytes);
    answer.close();
    return 0;
  },
});
