import { exportContainer } from '../../../client/containers/export.ts';
import { defineCommand, ExitStatus } from '../../command.ts';
import { writeToFile } from '../../files.ts';

export const command = defineCommand({
  usage: '[OPTIONS] CONTAINER',
  options: {
    output: { kind: 'string', short: 'o', help: 'File to write (standard output unless given)', complete: 'files' },
  },
  words: { least: 1, most: 1 },
  complete: 'all-containers',
  async run({ cli, options, words }) {
    if (options.output === '') {
      const { isTerminal } = await import('../../streams/terminal.ts');
      if (await isTerminal(1))
        throw new ExitStatus(1, 'cowardly refusing to save to a terminal. Use the -o flag or redirect');
    }
    const answer = await exportContainer(cli.client, words[0] as string);
    if (options.output !== '') await writeToFile(options.output, answer.body);
    else
      for (let bytes = await answer.body.read(); bytes !== null; bytes = await answer.body.read())
        await cli.out.write(bytes);
    answer.close();
    return 0;
  },
});
