import { bootstrapImage } from '../../../client/images/bootstrap.ts';
import { readMessages } from '../../../client/messages.ts';
import { defineCommand } from '../../command.ts';
import { progressColumns } from '../../pull-image.ts';
import { showProgress } from '../../render/progress.ts';

export const command = defineCommand({
  usage: 'busybox|debian[:SUITE]',
  options: {},
  words: { least: 1, most: 1 },
  complete: ['busybox', 'debian'],
  async run({ cli, words }) {
    const answer = await bootstrapImage(cli.client, words[0] as string);
    await showProgress(readMessages(answer), cli.out, { columns: await progressColumns(1) });
    return 0;
  },
});
