import { errorKind } from '../../../api/errors.ts';
import { removeContainer } from '../../../client/containers/remove.ts';
import { forEachName } from '../../batch.ts';
import { defineCommand } from '../../command.ts';
import { describeError } from '../../describe-error.ts';

export const command = defineCommand({
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  options: {
    force: { kind: 'bool', short: 'f', help: 'Kill what runs, and ignore what is not there' },
    link: { kind: 'bool', short: 'l', help: 'Remove a link instead of a container' },
    volumes: { kind: 'bool', short: 'v', help: 'Remove anonymous volumes of the container too' },
  },
  words: { least: 1 },
  complete: 'all-containers',
  run({ cli, options, words }) {
    return forEachName(cli, words, async (word) => {
      const name = word.replace(/^\/+|\/+$/g, '');
      if (name === '') throw new Error('container name cannot be empty');
      const { force, link, volumes } = options;
      try {
        await removeContainer(cli.client, name, { force, link, volumes });
      } catch (error) {
        if (!force || errorKind(error) !== 'not-found') throw error;
        // With --force it is enough that the container is gone; Docker says so on standard error.
        await cli.err.write(`${describeError(error)}\n`);
        return '';
      }
      return name;
    });
  },
});
