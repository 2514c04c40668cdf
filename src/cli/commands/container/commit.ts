import { BerthError } from '../../../api/errors.ts';
import { commitContainer } from '../../../client/images/commit.ts';
import { familiarName, parseReference } from '../../../oci/reference.ts';
import { defineCommand } from '../../command.ts';

export const command = defineCommand({
  usage: '[OPTIONS] CONTAINER [REPOSITORY[:TAG]]',
  options: {
    author: { kind: 'string', short: 'a', help: 'Author of the image' },
    change: { kind: 'list', short: 'c', help: 'Dockerfile instruction for the image' },
    message: { kind: 'string', short: 'm', help: 'Comment of the image' },
    pause: { kind: 'bool', short: 'p', default: 'true', help: 'Let the container stand still meanwhile' },
  },
  words: { least: 1, most: 2 },
  complete: 'all-containers',
  async run({ cli, options, words }) {
    const [container, name] = words as [string, string | undefined];
    const reference = name === undefined ? undefined : parseReference(name);
    if (reference?.digest !== undefined) throw new BerthError('invalid', 'cannot commit to digest reference');
    const id = await commitContainer(cli.client, {
      container,
      repository: reference && familiarName(reference),
      tag: reference && (reference.tag ?? 'latest'),
      author: options.author,
      comment: options.message,
      changes: options.change,
      pause: options.pause,
    });
    await cli.out.write(`${id}\n`);
    return 0;
  },
});
