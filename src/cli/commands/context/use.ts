import { defineCommand } from '../../command.ts';
import { updateConfigFile } from '../../config/update-config.ts';
import { ContextStore, defaultContext } from '../../contexts/store.ts';

export const command = defineCommand({
  usage: 'CONTEXT',
  options: {},
  words: { least: 1, most: 1 },
  async run({ cli, words }) {
    const [name] = words as [string];
    if (name !== defaultContext) await new ContextStore(cli.configDirectory).read(name);
    await updateConfigFile(cli.configDirectory, ({ currentContext: _, ...config }) =>
      name === defaultContext ? config : { ...config, currentContext: name },
    );
    await cli.out.write(`${name}\n`);
    await cli.err.write(`Current context is now ${JSON.stringify(name)}\n`);
    const variable = ['BERTH_HOST', 'DOCKER_HOST'].find((one) => cli.environment[one]);
    if (name !== defaultContext && variable)
      await cli.err.write(
        `Warning: ${variable} environment variable overrides the active context. To use ${JSON.stringify(name)}, either set the global --context flag, or unset ${variable} environment variable.\n`,
      );
    return 0;
  },
});
