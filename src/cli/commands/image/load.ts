import { loadImages } from '../../../client/images/load.ts';
import { readMessages } from '../../../client/messages.ts';
import { defineCommand, ExitStatus } from '../../command.ts';
import { openUpload } from '../../files.ts';
import { progressColumns } from '../../pull-image.ts';
import { showProgress } from '../../render/progress.ts';

export const command = defineCommand({
  usage: '[OPTIONS]',
  options: {
    input: { kind: 'string', short: 'i', help: 'Archive to read (standard input unless given)', complete: 'files' },
    platform: { kind: 'string', help: 'Only the variant for this platform (os[/arch[/variant]])' },
    quiet: { kind: 'bool', short: 'q', help: 'Do not show the progress' },
  },
  words: { least: 0, most: 0 },
  async run({ cli, options }) {
    const { isTerminal } = await import('../../streams/terminal.ts');
    if (options.input === '' && (await isTerminal(0)))
      throw new ExitStatus(1, 'requested load from stdin, but stdin is empty');
    const upload = await openUpload(options.input);
    const columns = options.quiet ? undefined : await progressColumns(1);
    const answer = await loadImages(cli.client, {
      upload,
      quiet: options.quiet || columns === undefined,
      platform: options.platform,
    });
    await showProgress(readMessages(answer), cli.out, { columns });
    return 0;
  },
});
