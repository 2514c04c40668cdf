import { BerthError } from '../../../api/errors.ts';
import { forEachName } from '../../batch.ts';
import { defineCommand } from '../../command.ts';
import { updateConfigFile } from '../../config/update-config.ts';
import { ContextStore, defaultContext } from '../../contexts/store.ts';

export const command = defineCommand({
  usage: 'CONTEXT [CONTEXT...]',
  options: { force: { kind: 'bool', short: 'f', help: 'Remove it though it is in use; ignore what is not there' } },
  words: { least: 1 },
  run({ cli, options, words }) {
    const store = new ContextStore(cli.configDirectory);
    return forEachName(cli, words, async (name) => {
      const quoted = JSON.stringify(name);
      if (name === defaultContext) throw new BerthError('conflict', `context ${quoted} cannot be removed`);
      if (!options.force && !(await store.has(name)))
        throw new BerthError('not-found', `context ${quoted} does not exist`);
      if (!options.force && name === cli.context)
        throw new BerthError('conflict', `context ${quoted} is in use, set -f flag to force remove`);
      await store.remove(name);
      if (name === cli.config.currentContext)
        await updateConfigFile(cli.configDirectory, ({ currentContext: _, ...config }) => config);
      return name;
    });
  },
});
