import { defineCommand } from '../../command.ts';
import { dockerEndpointOption, readEndpointSettings } from '../../contexts/endpoint-settings.ts';
import { ContextStore, checkContextName } from '../../contexts/store.ts';

export const command = defineCommand({
  usage: '[OPTIONS] CONTEXT',
  options: {
    description: { kind: 'string', help: 'What the context is for' },
    docker: dockerEndpointOption,
  },
  words: { least: 1, most: 1 },
  async run({ cli, options, given, words }) {
    const [name] = words as [string];
    checkContextName(name);
    const store = new ContextStore(cli.configDirectory);
    const meta = await store.read(name);
    if (given.has('description')) meta.Metadata.Description = options.description;
    const settings = given.has('docker') ? await readEndpointSettings(cli, store, options.docker) : undefined;
    if (settings) meta.Endpoints.docker = settings.endpoint;
    await store.write(meta, settings?.tls);
    await cli.out.write(`${name}\n`);
    await cli.err.write(`Successfully updated context ${JSON.stringify(name)}\n`);
    return 0;
  },
});
