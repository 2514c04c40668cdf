import { inspectManifest } from '../../../client/images/manifests.ts';
import { parseReference } from '../../../oci/reference.ts';
import { defineCommand, ExitStatus } from '../../command.ts';
import { registryAuthHeader } from '../../config/credentials.ts';
import { insecureOption } from './insecure-option.ts';
import { fullName, ManifestListFiles } from './lists.ts';

export const command = defineCommand({
  usage: '[OPTIONS] MANIFEST_LIST MANIFEST [MANIFEST...]',
  options: { ...insecureOption, amend: { kind: 'bool', short: 'a', help: 'Add to a list that exists' } },
  words: { least: 2 },
  async run({ cli, options, words }) {
    const [list, ...names] = words.map(fullName) as [string, ...string[]];
    const files = new ManifestListFiles(cli.configDirectory);
    if (!options.amend && (await files.read(list)))
      throw new ExitStatus(1, `refusing to amend an existing manifest list with no --amend flag`);
    for (const name of names) {
      const registryAuth = await registryAuthHeader(cli, parseReference(name).domain);
      const manifest = await inspectManifest(cli.client, name, { registryAuth });
      if (/manifest\.list|image\.index/.test(manifest.Descriptor.mediaType))
        throw new ExitStatus(1, `${name} is a manifest list`);
      await files.write(list, name, manifest);
    }
    await cli.out.write(`Created manifest list ${list}\n`);
    return 0;
  },
});
