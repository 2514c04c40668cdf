import { BerthError } from '../../api/errors.ts';
import type { ImageSummary } from '../../api/types/image.ts';
import type { ImageListOptions } from '../../api/types/image-requests.ts';
import { chainIds } from '../../oci/image-config.ts';
import { familiarName, parseReference } from '../../oci/reference.ts';
import type { StoredImage } from '../../store/types.ts';
import { type Filters, filterBoolean, matchesLabels } from '../../wire/filters.ts';
import { parseMoment } from '../../wire/time.ts';
import { goPathMatch } from './go-path-match.ts';
import type { ImageContext } from './image-context.ts';
import { familiarNames, findImage } from './image-names.ts';

/** `GET /images/json`. Errors: `not-found` for an unknown image in `before` or `since`, `invalid`. */
export function listImages(context: ImageContext, options: ImageListOptions): ImageSummary[] {
  const { store } = context;
  const select = selector(context, options);
  const summaries: ImageSummary[] = [];
  const visible = store.records.all().filter((image) => !image.hidden);
  const sizes = options.sharedSize ? sharedSizes(context, visible) : null;
  for (const image of visible) {
    const names = select(image);
    if (!names) continue;
    summaries.push({
      Containers: context.users.containersOf(image.id).length,
      Created: createdSeconds(image),
      Id: image.id,
      Labels: image.config.config?.Labels ?? null,
      ParentId: image.parent ?? '',
      RepoDigests: names.digests,
      RepoTags: names.tags,
      SharedSize: sizes?.get(image.id) ?? -1,
      Size: image.size,
    });
  }
  return summaries.sort((left, right) => right.Created - left.Created);
}

/** Unix seconds of the config's date; 0 where there is none. */
function createdSeconds(image: StoredImage): number {
  return Math.floor((createdTime(image) ?? 0) / 1000);
}

/** Unix milliseconds of the config's date. */
export function createdTime(image: StoredImage): number | null {
  const time = Date.parse(image.config.created ?? '');
  return Number.isNaN(time) ? null : time;
}

type Names = { tags: string[]; digests: string[] };

/** Gives the names to show, or null where the image is not wanted. */
function selector(context: ImageContext, options: ImageListOptions): (image: StoredImage) => Names | null {
  const { filters } = options;
  const danglingOnly = filterBoolean(filters, 'dangling', false);
  const patterns = filters.get('reference') ?? [];
  const isInTime = timeFilter(context, filters);
  return (image) => {
    if (!isInTime(image) || !matchesLabels(filters, image.config.config?.Labels)) return null;
    const names = familiarNames(image);
    if (patterns.length > 0) {
      names.tags = names.tags.filter((name) => matchesReference(patterns, name));
      names.digests = names.digests.filter((name) => matchesReference(patterns, name));
    }
    if (names.tags.length + names.digests.length > 0) return danglingOnly && names.tags.length > 0 ? null : names;
    if (patterns.length > 0 || (filters.has('dangling') && !danglingOnly)) return null;
    return options.all || context.store.records.children(image.id).length === 0 ? names : null;
  };
}

function matchesReference(patterns: readonly string[], name: string): boolean {
  return patterns.some((pattern) => {
    const whole = goPathMatch(pattern, name);
    if (whole === null) throw new BerthError('invalid', 'syntax error in pattern');
    return whole || goPathMatch(pattern, familiarName(parseReference(name))) === true;
  });
}

function timeFilter(context: ImageContext, filters: Filters): (image: StoredImage) => boolean {
  const times = (key: string): number[] =>
    (filters.get(key) ?? []).map((name) => createdTime(findImage(context.store, name)) ?? 0);
  const until = (filters.get('until') ?? []).map((value) => Number(parseMoment(value) / 1_000_000n));
  const before = Math.min(...times('before'), ...until);
  const since = Math.max(...times('since'));
  return (image) => {
    const created = createdTime(image);
    if (before !== Number.POSITIVE_INFINITY && (created === null || created >= before)) return false;
    return since === Number.NEGATIVE_INFINITY || (created !== null && created > since);
  };
}

/** Bytes of each image's layers that another image has too, in the same stack. */
function sharedSizes(context: ImageContext, images: StoredImage[]): Map<string, number> {
  const users = new Map<string, number>();
  for (const image of images) for (const chain of chainIds(image.layers)) users.set(chain, (users.get(chain) ?? 0) + 1);
  return new Map(
    images.map((image) => {
      const chain = chainIds(image.layers);
      const shared = image.layers.filter((_, index) => (users.get(chain[index] as string) ?? 0) > 1);
      return [image.id, shared.reduce((sum, diffId) => sum + (context.store.layer(diffId)?.size ?? 0), 0)];
    }),
  );
}
