import { pushManifest } from '../../../client/images/manifests.ts';
import { parseReference } from '../../../oci/reference.ts';
import { defineCommand } from '../../command.ts';
import { registryAuthHeader } from '../../config/credentials.ts';
import { insecureOption } from './insecure-option.ts';
import { fullName, listDocument, ManifestListFiles } from './lists.ts';

export const command = defineCommand({
  usage: '[OPTIONS] MANIFEST_LIST',
  options: { ...insecureOption, purge: { kind: 'bool', short: 'p', help: 'Forget the list here when it is pushed' } },
  words: { least: 1, most: 1 },
  async run({ cli, options, words }) {
    const [list] = words.map(fullName) as [string];
    const files = new ManifestListFiles(cli.configDirectory);
    const manifests = await files.need(list);
    const { mediaType, text } = listDocument(list, manifests);
    const registryAuth = await registryAuthHeader(cli, parseReference(list).domain);
    const body = { MediaType: mediaType, Document: text, Sources: manifests.map(({ Ref }) => Ref) };
    const { Digest } = await pushManifest(cli.client, list, body, { registryAuth });
    for (const { Ref, Descriptor } of manifests)
      await cli.out.write(`Pushed ref ${Ref} with digest: ${Descriptor.digest}\n`);
    await cli.out.write(`${Digest}\n`);
    if (options.purge) await files.remove(list);
    return 0;
  },
});
