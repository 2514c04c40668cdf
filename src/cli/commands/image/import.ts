import { importImage } from '../../../client/images/import.ts';
import { readMessages } from '../../../client/messages.ts';
import { familiarName, parseReference } from '../../../oci/reference.ts';
import { defineCommand } from '../../command.ts';
import { openUpload } from '../../files.ts';
import { progressColumns } from '../../pull-image.ts';
import { showProgress } from '../../render/progress.ts';

export const command = defineCommand({
  usage: '[OPTIONS] file|URL|- [REPOSITORY[:TAG]]',
  options: {
    change: { kind: 'list', short: 'c', help: 'Dockerfile instruction for the image' },
    message: { kind: 'string', short: 'm', help: 'Comment of the image' },
    platform: { kind: 'string', help: 'Platform of the image (os[/arch[/variant]])' },
  },
  words: { least: 1 },
  complete: 'files',
  async run({ cli, options, words }) {
    const [source, name] = words as [string, string | undefined];
    const isAddress = /^(https?|ftp|git):\/\//.test(source);
    const reference = name === undefined ? undefined : parseReference(name);
    const answer = await importImage(cli.client, {
      source: isAddress ? source : '-',
      repository: reference && familiarName(reference),
      tag: reference?.tag,
      message: options.message,
      changes: options.change,
      platform: options.platform,
      upload: isAddress ? undefined : await openUpload(source === '-' ? '' : source),
    });
    await showProgress(readMessages(answer), cli.out, { columns: await progressColumns(1) });
    return 0;
  },
});
