/** The fields of `images`, in Docker's words; a row for each name of an image. */
import type { ImageSummary } from '../../api/types/image.ts';
import { humanSize } from '../../wire/size.ts';
import { humanDuration } from '../../wire/time.ts';
import type { Listing } from './listing-fields.ts';
import { localTime, shortId } from './text.ts';

export interface ImageRow {
  image: ImageSummary;
  repository: string;
  tag: string;
  digest: string;
}

const none = '<none>';

/** @param digests a row for each digest of a name as well */
export function imageRows(images: readonly ImageSummary[], digests: boolean): ImageRow[] {
  return images.flatMap((image) => rowsOf(image, digests));
}

function rowsOf(image: ImageSummary, digests: boolean): ImageRow[] {
  const tags = (image.RepoTags ?? []).filter((name) => name !== `${none}:${none}`);
  const known = (image.RepoDigests ?? []).filter((name) => !name.startsWith(`${none}@`));
  const byRepository = new Map<string, { tags: string[]; digests: string[] }>();
  const group = (repository: string): { tags: string[]; digests: string[] } => {
    const found = byRepository.get(repository) ?? { tags: [], digests: [] };
    byRepository.set(repository, found);
    return found;
  };
  for (const name of tags) group(name.slice(0, name.lastIndexOf(':'))).tags.push(name.slice(name.lastIndexOf(':') + 1));
  for (const name of known) group(name.slice(0, name.indexOf('@'))).digests.push(name.slice(name.indexOf('@') + 1));
  if (byRepository.size === 0) return [{ image, repository: none, tag: none, digest: none }];
  const rows: ImageRow[] = [];
  for (const [repository, names] of byRepository) {
    const shownDigests = digests && names.digests.length > 0 ? names.digests : [none];
    const shownTags = names.tags.length > 0 ? names.tags : [none];
    for (const tag of shownTags) for (const digest of shownDigests) rows.push({ image, repository, tag, digest });
  }
  return rows;
}

const rawImage = `repository: {{.Repository}}
tag: {{.Tag}}
image_id: {{.ID}}
created_at: {{.CreatedAt}}
virtual_size: {{.Size}}
`;

/** @param truncate false: `--no-trunc` */
export function imageListing(truncate: boolean): Listing<ImageRow> {
  const sizeOrUnknown = (size: number): string => (size === -1 ? 'N/A' : humanSize(size));
  return {
    type: '*formatter.imageContext',
    raw: rawImage,
    fields: {
      ID: { header: 'IMAGE ID', text: ({ image }) => (truncate ? shortId(image.Id) : image.Id) },
      Repository: { header: 'REPOSITORY', text: (row) => row.repository },
      Tag: { header: 'TAG', text: (row) => row.tag },
      Digest: { header: 'DIGEST', text: (row) => row.digest },
      CreatedSince: {
        header: 'CREATED',
        text: ({ image }) => `${humanDuration(Date.now() - image.Created * 1000)} ago`,
      },
      CreatedAt: { header: 'CREATED AT', text: ({ image }) => localTime(image.Created) },
      Size: { header: 'SIZE', text: ({ image }) => humanSize(image.Size, 3) },
      Containers: {
        header: 'CONTAINERS',
        text: ({ image }) => (image.Containers === -1 ? 'N/A' : String(image.Containers)),
      },
      VirtualSize: { header: 'SIZE', text: ({ image }) => humanSize(image.Size) },
      SharedSize: { header: 'SHARED SIZE', text: ({ image }) => sizeOrUnknown(image.SharedSize) },
      UniqueSize: {
        header: 'UNIQUE SIZE',
        text: ({ image }) => (image.SharedSize === -1 ? 'N/A' : humanSize(image.Size - image.SharedSize)),
      },
    },
  };
}
