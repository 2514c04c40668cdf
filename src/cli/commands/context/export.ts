import { writeFile } from 'node:fs/promises';
import { BerthError, systemReason } from '../../../api/errors.ts';
import { defineCommand } from '../../command.ts';
import { endpointOf } from '../../contexts/endpoint-settings.ts';
import { ContextStore, defaultContext } from '../../contexts/store.ts';

export const command = defineCommand({
  usage: 'CONTEXT [FILE|-]',
  options: {},
  words: { least: 1, most: 2 },
  async run({ cli, words }) {
    const [name, file = `${words[0]}.dockercontext`] = words as [string, string?];
    const store = new ContextStore(cli.configDirectory);
    const { endpoint, tls } = await endpointOf(cli, store, name);
    const meta =
      name === defaultContext ? { Name: name, Metadata: {}, Endpoints: { docker: endpoint } } : await store.read(name);
    const entries = Object.entries(tls).map(([path, text]) => [`tls/docker/${path}`, text] as const);
    const archive = new Bun.Archive({ 'meta.json': JSON.stringify(meta), ...Object.fromEntries(entries) });
    const bytes = await archive.bytes();
    if (file === '-') {
      await cli.out.write(bytes);
      return 0;
    }
    await writeFile(file, bytes, { flag: 'wx', mode: 0o600 }).catch((cause: NodeJS.ErrnoException) => {
      const why = cause.code === 'EEXIST' ? 'file exists' : systemReason(cause);
      throw new BerthError('invalid', `open ${file}: ${why}`, { cause });
    });
    await cli.err.write(`Written file ${JSON.stringify(file)}\n`);
    return 0;
  },
});
