/** What the package managers of distributions have written down. */
import { packageUrl } from '../export/package-url.ts';
import { type Distribution, type FoundPackage, known, paragraphs } from './found-package.ts';

/** The distribution's name and version out of os-release(5). */
export function readDistribution(text: string): Distribution {
  const value = (name: string): string =>
    new RegExp(`^${name}=["']?([^"'\\n]*)["']?$`, 'm').exec(text)?.[1]?.trim() ?? '';
  return { id: value('ID'), version: value('VERSION_ID') };
}

/** dpkg's status file, or one of the folder that images without dpkg have. */
export function debianPackages(text: string, location: string, { id, version }: Distribution): FoundPackage[] {
  const distribution = id || 'debian';
  const found: FoundPackage[] = [];
  for (const fields of paragraphs(text)) {
    const name = fields.get('package');
    const own = fields.get('version');
    // Packages of which only the configuration is left are not there.
    if (!name || !own || !/ installed$/.test(fields.get('status') ?? 'install ok installed')) continue;
    const [source = ''] = (fields.get('source') ?? '').split(' ');
    found.push({
      name,
      version: own,
      location,
      list: 'DPKG DB',
      url: packageUrl({
        type: 'deb',
        namespace: distribution,
        name,
        version: own,
        qualifiers: {
          arch: fields.get('architecture') ?? '',
          distro: version === '' ? '' : `${distribution}-${version}`,
          upstream: source === name ? '' : source,
        },
      }),
      ...known({
        supplier: maintainer(fields.get('maintainer')),
        homepage: fields.get('homepage'),
        summary: fields.get('description')?.split('\n', 1)[0],
      }),
    });
  }
  return found;
}

/** apk's database of installed packages: https://wiki.alpinelinux.org/wiki/Apk_spec */
export function alpinePackages(text: string, location: string, { id, version }: Distribution): FoundPackage[] {
  const distribution = id || 'alpine';
  return text.split(/\n\n+/).flatMap((record): FoundPackage[] => {
    const value = (letter: string): string => new RegExp(`^${letter}:(.*)$`, 'm').exec(record)?.[1]?.trim() ?? '';
    const name = value('P');
    if (name === '') return [];
    const origin = value('o');
    return [
      {
        name,
        version: value('V'),
        location,
        list: 'APK DB',
        url: packageUrl({
          type: 'apk',
          namespace: distribution,
          name,
          version: value('V'),
          qualifiers: {
            arch: value('A'),
            distro: version === '' ? '' : `${distribution}-${version}`,
            upstream: origin === name ? '' : origin,
          },
        }),
        ...known({
          supplier: maintainer(value('m')),
          license: value('L'),
          homepage: value('U'),
          summary: value('T'),
        }),
      },
    ];
  });
}

/** `Name <mail>` in SPDX's form. */
function maintainer(text: string | undefined): string | undefined {
  const [name = '', mail = ''] = (text ?? '').split('<', 2).map((part) => part.replace('>', '').trim());
  if (name === '') return undefined;
  return `Person: ${name}${mail === '' ? '' : ` (${mail})`}`;
}
