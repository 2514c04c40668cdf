import { type Cli, defineCommand } from '../../command.ts';
import { endpointOf } from '../../contexts/endpoint-settings.ts';
import { type ContextMeta, ContextStore, defaultContext } from '../../contexts/store.ts';
import { inspectAll } from '../../render/inspect.ts';

export const command = defineCommand({
  usage: '[OPTIONS] [CONTEXT] [CONTEXT...]',
  options: { format: { kind: 'string', short: 'f', help: `How to print: 'json', or a Go template` } },
  words: { least: 0 },
  async run({ cli, options, words }) {
    const store = new ContextStore(cli.configDirectory);
    const names = words.length > 0 ? words : [cli.context];
    return await inspectAll(cli, names, options.format, (name) => contextText(cli, store, name));
  },
});

async function contextText(cli: Cli, store: ContextStore, name: string): Promise<string> {
  const inMemory = name === defaultContext;
  const { endpoint, tls } = await endpointOf(cli, store, name);
  const meta: ContextMeta = inMemory
    ? { Name: name, Metadata: {}, Endpoints: { docker: endpoint } }
    : await store.read(name);
  const files = Object.keys(tls);
  const text = JSON.stringify({
    ...meta,
    TLSMaterial: files.length > 0 ? { docker: files } : {},
    Storage: inMemory
      ? { MetadataPath: '<IN MEMORY>', TLSPath: '<IN MEMORY>' }
      : { MetadataPath: store.metaDirectory(name), TLSPath: store.tlsDirectory(name) },
  });
  // As Go writes JSON.
  return text.replaceAll('<', '\\u003c').replaceAll('>', '\\u003e').replaceAll('&', '\\u0026');
}
