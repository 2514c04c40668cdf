import type { RemoteManifest } from '../../../api/types/manifest.ts';
import { inspectManifest } from '../../../client/images/manifests.ts';
import { parseReference } from '../../../oci/reference.ts';
import { type Cli, defineCommand } from '../../command.ts';
import { registryAuthHeader } from '../../config/credentials.ts';
import { insecureOption } from './insecure-option.ts';
import { fullName, listDocument, ManifestListFiles } from './lists.ts';

export const command = defineCommand({
  usage: '[OPTIONS] [MANIFEST_LIST] MANIFEST',
  options: {
    ...insecureOption,
    verbose: { kind: 'bool', short: 'v', help: 'Say where it is from and what it is for, too' },
  },
  words: { least: 1, most: 2 },
  async run({ cli, options, words }) {
    const names = words.map(fullName);
    const files = new ManifestListFiles(cli.configDirectory);
    if (names.length === 2) return show(cli, await files.one(names[0] as string, names[1] as string), options.verbose);
    const [name] = names as [string];
    const local = await files.read(name);
    if (!local) return show(cli, await remote(cli, name), options.verbose);
    await print(cli, options.verbose ? local.map(verbose) : JSON.parse(listDocument(name, local).text));
    return 0;
  },
});

async function remote(cli: Cli, name: string): Promise<RemoteManifest> {
  const registryAuth = await registryAuthHeader(cli, parseReference(name).domain);
  return inspectManifest(cli.client, name, { registryAuth });
}

async function show(cli: Cli, manifest: RemoteManifest, isVerbose: boolean): Promise<number> {
  const document = JSON.parse(manifest.Document) as { manifests?: { digest: string }[] };
  if (!isVerbose) await print(cli, document);
  else if (document.manifests) {
    const repository = manifest.Ref.replace(/@.*$/, '');
    const parts = document.manifests.map(({ digest }) => remote(cli, `${repository}@${digest}`));
    await print(cli, (await Promise.all(parts)).map(verbose));
  } else await print(cli, verbose(manifest));
  return 0;
}

function verbose({ Ref, Descriptor, Document }: RemoteManifest): object {
  const kind = Descriptor.mediaType.startsWith('application/vnd.oci.') ? 'OCIManifest' : 'SchemaV2Manifest';
  return { Ref, Descriptor, [kind]: JSON.parse(Document) };
}

async function print(cli: Cli, value: unknown): Promise<void> {
  await cli.out.write(`${JSON.stringify(value, null, '\t')}\n`);
}
