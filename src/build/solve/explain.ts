import type { Parts } from './cache.ts';

/** More reasons than this are counted, not listed. */
const mostListed = 10;

/** Why a step was done again, or why not, in words for people. */
export function explain(what: {
  before: Parts | null;
  now: Parts;
  hit: boolean;
  /** A result is known, and cannot be used. */
  unfit: boolean;
  fresh: boolean;
  /** Where a hit was found; null: in the engine's own cache. */
  origin: string | null;
}): string[] {
  const { before, now, hit, unfit, fresh, origin } = what;
  if (fresh) return ['the cache was not asked (--no-cache)'];
  if (hit && origin !== null) return [`found in the cache ${origin}`];
  if (unfit) return ['its result is gone, or was made upon another one than there is now'];
  if (before === null) return [hit ? 'another build has done the same step' : 'never built here before'];
  const changes = differences(before, now);
  if (hit) return [changes.length === 0 ? 'nothing it depends on has changed' : 'another build has done the same step'];
  if (changes.length === 0) return ['its result was removed from the cache'];
  // What follows from the step before says nothing where there is a reason of the step's own.
  const own = changes.filter((change) => change !== below);
  const listed = own.length > 0 ? own : changes;
  const more = listed.length - mostListed;
  return more > 0 ? [...listed.slice(0, mostListed), `and ${more} more`] : listed;
}

const below = 'a step it builds upon gave something new';

function differences(before: Parts, now: Parts): string[] {
  const found: string[] = [];
  for (const [part, value] of now) {
    const old = before.get(part);
    if (old === value) continue;
    found.push(describe(part, old === undefined ? 'new' : 'changed'));
  }
  for (const part of before.keys()) if (!now.has(part)) found.push(describe(part, 'gone'));
  return [...new Set(found)];
}

function describe(part: string, change: 'new' | 'changed' | 'gone'): string {
  if (part.startsWith('input')) return below;
  const words = { new: 'is new', changed: 'has changed', gone: 'is gone' }[change];
  return `${part} ${words}`;
}
