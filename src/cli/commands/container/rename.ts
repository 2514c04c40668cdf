import { renameContainer } from '../../../client/containers/rename.ts';
import { defineCommand, ExitStatus } from '../../command.ts';
import { describeError } from '../../describe-error.ts';

export const command = defineCommand({
  usage: 'CONTAINER NEW_NAME',
  options: {},
  words: { least: 2, most: 2 },
  complete: 'all-containers',
  async run({ cli, words }) {
    const [container, name] = words.map((word) => word.trim()) as [string, string];
    if (container === '' || name === '') throw new ExitStatus(1, 'Error: Neither old nor new names may be empty');
    try {
      await renameContainer(cli.client, container, name);
    } catch (error) {
      throw new ExitStatus(1, `${describeError(error)}\nError: failed to rename container named ${container}`);
    }
    return 0;
  },
});
