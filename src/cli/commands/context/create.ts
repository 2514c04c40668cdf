import { BerthError } from '../../../api/errors.ts';
import { defineCommand } from '../../command.ts';
import { dockerEndpointOption, endpointOf, readEndpointSettings } from '../../contexts/endpoint-settings.ts';
import { type ContextMeta, ContextStore, checkContextName, defaultContext } from '../../contexts/store.ts';

export const command = defineCommand({
  usage: '[OPTIONS] CONTEXT',
  options: {
    description: { kind: 'string', help: 'What the context is for' },
    docker: dockerEndpointOption,
    from: { kind: 'string', value: 'string', help: 'Context whose engine the new one names too' },
  },
  words: { least: 1, most: 1 },
  async run({ cli, options, words }) {
    const [name] = words as [string];
    checkContextName(name);
    const store = new ContextStore(cli.configDirectory);
    if (await store.has(name)) throw new BerthError('conflict', `context ${JSON.stringify(name)} already exists`);
    const source = options.from || (options.docker.length === 0 ? defaultContext : '');
    const { endpoint, tls } = source
      ? await endpointOf(cli, store, source)
      : await readEndpointSettings(cli, store, options.docker);
    const Metadata: ContextMeta['Metadata'] = { ...(options.from && (await metadataOf(store, options.from))) };
    if (options.description) Metadata.Description = options.description;
    await store.write({ Name: name, Metadata, Endpoints: { docker: endpoint } }, tls);
    await cli.out.write(`${name}\n`);
    await cli.err.write(`Successfully created context ${JSON.stringify(name)}\n`);
    return 0;
  },
});

/** What a context says of itself; the one that the environment names says nothing. */
async function metadataOf(store: ContextStore, name: string): Promise<ContextMeta['Metadata']> {
  return name === defaultContext ? {} : (await store.read(name)).Metadata;
}
