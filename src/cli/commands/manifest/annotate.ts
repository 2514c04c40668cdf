import { defineCommand } from '../../command.ts';
import { fullName, ManifestListFiles } from './lists.ts';

export const command = defineCommand({
  usage: '[OPTIONS] MANIFEST_LIST MANIFEST',
  options: {
    arch: { kind: 'string', help: 'Architecture' },
    os: { kind: 'string', help: 'Operating system' },
    'os-features': { kind: 'csv', help: 'Features that the operating system must have' },
    'os-version': { kind: 'string', help: 'Version of the operating system' },
    variant: { kind: 'string', help: 'Variant of the architecture' },
  },
  words: { least: 2, most: 2 },
  async run({ cli, options, words }) {
    const [list, name] = words.map(fullName) as [string, string];
    const files = new ManifestListFiles(cli.configDirectory);
    const manifest = await files.one(list, name);
    const before = manifest.Descriptor.platform ?? { os: '', architecture: '' };
    manifest.Descriptor.platform = {
      ...before,
      ...(options.arch && { architecture: options.arch }),
      ...(options.os && { os: options.os }),
      ...(options.variant && { variant: options.variant }),
      ...(options['os-version'] && { 'os.version': options['os-version'] }),
      ...(options['os-features'].length > 0 && { 'os.features': options['os-features'] }),
    };
    await files.write(list, name, manifest);
    return 0;
  },
});
