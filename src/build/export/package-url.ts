/** Package URLs (https://github.com/package-url/purl-spec) of images and packages. */
import { formatPlatform, normalizePlatform, type Platform } from '../../oci/platform.ts';
import { familiarName, parseReference, withDefaultTag } from '../../oci/reference.ts';

export interface PackageName {
  type: string;
  namespace?: string;
  name: string;
  version?: string;
  qualifiers?: Readonly<Record<string, string>>;
}

/** `pkg:type/namespace/name@version?key=value` */
export function packageUrl({ type, namespace = '', name, version = '', qualifiers = {} }: PackageName): string {
  const parts = [...namespace.split('/'), name].filter((part) => part !== '').map(escaped);
  const query = Object.entries(qualifiers)
    .filter(([, value]) => value !== '')
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([key, value]) => `${key}=${escaped(value)}`);
  const tail = query.length > 0 ? `?${query.join('&')}` : '';
  return `pkg:${type}/${parts.join('/')}${version === '' ? '' : `@${escaped(version)}`}${tail}`;
}

/** What is no text, such as half a character out of somebody's JSON, is replaced. */
function escaped(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

/** `pkg:docker/name@tag?platform=linux%2Famd64` of a name that an image has. Error: `invalid`. */
export function imageUrl(reference: string, platform: Platform | null): string {
  const parsed = parseReference(reference);
  const { digest } = parsed;
  const { tag } = digest === undefined ? withDefaultTag(parsed) : parsed;
  const parts = familiarName(parsed).split('/');
  return packageUrl({
    type: 'docker',
    namespace: parts.slice(0, -1).join('/'),
    name: parts.at(-1) as string,
    version: tag ?? '',
    qualifiers: {
      ...(digest !== undefined && { digest }),
      ...(platform && { platform: formatPlatform(normalizePlatform(platform)) }),
    },
  });
}
