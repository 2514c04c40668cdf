import { defineCommand } from '../../command.ts';
import { helperFor, registryKey, runHelper } from '../../config/credentials.ts';
import { updateConfigFile } from '../../config/update-config.ts';

export const command = defineCommand({
  usage: '[SERVER]',
  options: {},
  words: { least: 0, most: 1 },
  async run({ cli, words }) {
    const key = registryKey((words[0] ?? 'docker.io').replace(/^https?:\/\//, '').replace(/\/.*$/, ''));
    const helper = helperFor(cli, key);
    const known = Object.hasOwn(cli.config.auths ?? {}, key);
    if (!known && !helper) {
      await cli.out.write(`Not logged in to ${key}\n`);
      return 0;
    }
    await cli.out.write(`Removing login credentials for ${key}\n`);
    if (helper) await runHelper(helper, 'erase', key);
    if (known)
      await updateConfigFile(cli.configDirectory, (config) => {
        const auths = { ...config.auths };
        delete auths[key];
        return { ...config, auths };
      });
    return 0;
  },
});
