import { BerthError } from '../../../api/errors.ts';
import { collectWithin } from '../../../base/collect-within.ts';
import { defineCommand } from '../../command.ts';
import { type ContextMeta, ContextStore, checkContextName, type TlsFiles } from '../../contexts/store.ts';
import { openUpload } from '../../files.ts';

/** Docker's own bound on what it reads. */
const largest = 10 << 20;

export const command = defineCommand({
  usage: 'CONTEXT FILE|-',
  options: {},
  words: { least: 2, most: 2 },
  async run({ cli, words }) {
    const [name, file] = words as [string, string];
    checkContextName(name);
    const store = new ContextStore(cli.configDirectory);
    if (await store.has(name)) throw new BerthError('conflict', `context ${JSON.stringify(name)} already exists`);
    const { meta, tls } = await readArchive(await openUpload(file === '-' ? '' : file));
    await store.write({ ...meta, Name: name }, tls);
    await cli.out.write(`${name}\n`);
    await cli.err.write(`Successfully imported context ${JSON.stringify(name)}\n`);
    return 0;
  },
});

/** Docker's command line leaves the end of a tar away (two empty blocks, and what fills the last block); readers want it. */
function completeTar(bytes: Buffer): Uint8Array<ArrayBuffer> {
  const isTar = bytes.subarray(257, 262).toString() === 'ustar';
  const missing = isTar ? ((512 - (bytes.length % 512)) % 512) + 1024 : 0;
  return new Uint8Array(Buffer.concat([bytes, Buffer.alloc(missing)]));
}

/** A tar or zip of `meta.json` and `tls/docker/*.pem`; nothing else of it is looked at. Error: `invalid`. */
async function readArchive(source: AsyncIterable<Uint8Array>): Promise<{ meta: ContextMeta; tls: TlsFiles }> {
  const tooLong = (): Error => new BerthError('too-large', 'read: read exceeds the defined limit');
  const bytes = await collectWithin(source, largest, tooLong);
  let meta: ContextMeta | undefined;
  const tls: TlsFiles = {};
  for (const [path, content] of await new Bun.Archive(completeTar(bytes)).files()) {
    const pem = /^tls\/docker\/(ca|cert|key)\.pem$/.exec(path);
    if (path === 'meta.json') meta = JSON.parse(await content.text()) as ContextMeta;
    else if (pem) tls[`${pem[1]}.pem`] = await content.text();
    else if (!path.startsWith('tls')) throw new BerthError('invalid', `${path}: unexpected context file`);
  }
  if (!meta) throw new BerthError('invalid', 'invalid context: no metadata found');
  return { meta, tls };
}
