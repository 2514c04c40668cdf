import { defineCommand, ExitStatus } from '../../command.ts';
import { completionScript, shells } from '../../completion/scripts.ts';

export const command = defineCommand({
  usage: 'bash|zsh|fish',
  options: {},
  words: { least: 1, most: 1 },
  complete: shells,
  async run({ cli, words }) {
    const shell = shells.find((name) => name === words[0]);
    if (!shell) throw new ExitStatus(1, `unknown shell: ${words[0]}: must be one of ${shells.join(', ')}`);
    await cli.out.write(completionScript(shell));
    return 0;
  },
});
