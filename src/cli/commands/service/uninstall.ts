import { defineCommand } from '../../command.ts';
import { rootOption } from '../../service-root.ts';
import { printSteps } from '../../steps.ts';

export const command = defineCommand({
  usage: '[OPTIONS]',
  options: {
    purge: { kind: 'bool', help: 'Remove containers, images, volumes and the configuration too' },
    root: rootOption,
  },
  words: { least: 0, most: 0 },
  async run({ cli, options }) {
    const host = await cli.machine();
    await printSteps(cli, (say) => host.uninstall({ root: options.root, purge: options.purge }, say));
    return 0;
  },
});
