import type { BuildResult } from '../../api/types/build.ts';
import { canonicalString, parseReference, withDefaultTag } from '../../oci/reference.ts';

/** What `--metadata-file` holds: https://docs.docker.com/reference/cli/docker/buildx/build/#metadata-file */
export function resultMetadata(
  tags: readonly string[],
  { imageId, descriptor, provenance = {} }: BuildResult,
): Record<string, unknown> {
  const names = tags.map((tag) => canonicalString(withDefaultTag(parseReference(tag))).replace(/:latest$/, ''));
  const isIndex = descriptor?.mediaType.includes('.index.') ?? false;
  const entries: [string, unknown][] = [
    ...Object.entries(provenance).map(([platform, predicate]): [string, unknown] => [
      platform === '' ? 'buildx.build.provenance' : `buildx.build.provenance/${platform}`,
      predicate,
    ]),
    ['buildx.build.ref', `default/default/${buildId()}`],
    // An index has as many configs as platforms.
    ...(isIndex ? [] : [['containerimage.config.digest', imageId] as [string, unknown]]),
    ...(descriptor ? [['containerimage.descriptor', descriptor] as [string, unknown]] : []),
    ['containerimage.digest', descriptor?.digest ?? imageId],
    ...(names.length > 0 ? [['image.name', names.join(',')] as [string, unknown]] : []),
  ];
  return Object.fromEntries(entries);
}

/** 25 letters and digits, as buildx calls its builds. */
function buildId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(25));
  return Array.from(bytes, (byte) => (byte % 36).toString(36)).join('');
}
