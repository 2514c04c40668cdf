/**
 * Docker's `filters` parameter: a JSON object of lists (`{"label":["a"]}`) or, from old clients, of sets (`{"label":{"a":true}}`).
 * Values of one key are alternatives (labels: all must hold), keys are joined by and.
 */
import { BerthError } from '../api/errors.ts';

/** Key → values, in the order given, without repeats. */
export type Filters = ReadonlyMap<string, readonly string[]>;

export const noFilters: Filters = new Map();

/** @param text the query parameter; null or empty: no filters. Error: `invalid` in dockerd's words. */
export function parseFilters(text: string | null | undefined): Filters {
  if (!text) return noFilters;
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw new BerthError('invalid', 'invalid filter', { cause });
  }
  if (parsed === null) return noFilters;
  if (typeof parsed !== 'object' || Array.isArray(parsed)) throw new BerthError('invalid', 'invalid filter');
  const filters = new Map<string, readonly string[]>();
  for (const [key, values] of Object.entries(parsed)) filters.set(key, readValues(values));
  return filters;
}

function readValues(values: unknown): string[] {
  if (values === null) return [];
  if (Array.isArray(values)) {
    if (!values.every((value) => typeof value === 'string')) throw new BerthError('invalid', 'invalid filter');
    return [...new Set(values as string[])];
  }
  if (typeof values !== 'object') throw new BerthError('invalid', 'invalid filter');
  if (!Object.values(values).every((value) => typeof value === 'boolean'))
    throw new BerthError('invalid', 'invalid filter');
  return Object.keys(values);
}

/** The parameter for a request; the empty string where there is nothing to filter. */
export function encodeFilters(filters: Filters): string {
  return filters.size === 0 ? '' : JSON.stringify(Object.fromEntries(filters));
}

/** Error: `invalid` `invalid filter '<key>'` for a key that is not among `accepted`. */
export function checkFilterKeys(filters: Filters, accepted: readonly string[]): void {
  for (const key of filters.keys())
    if (!accepted.includes(key)) throw new BerthError('invalid', `invalid filter '${key}'`);
}

/** The one value of a yes/no filter such as `dangling`. Error: `invalid` for other words or a contradiction. */
export function filterBoolean(filters: Filters, key: string, otherwise: boolean): boolean {
  const values = filters.get(key);
  if (!values || values.length === 0) return otherwise;
  const yes = values.some((value) => value === '1' || value === 'true');
  const no = values.some((value) => value === '0' || value === 'false');
  if (yes === no) throw new BerthError('invalid', `invalid filter '${key}=[${values.join(' ')}]'`);
  return yes;
}

/** True when the key has no values, or one of them equals `value`. */
export function matchesExactly(filters: Filters, key: string, value: string): boolean {
  const values = filters.get(key);
  return !values || values.length === 0 || values.includes(value);
}

/** True when the key has no values, or one of them equals `value`, matches it as a regular expression or is part of it (names, ids). */
export function matchesPattern(filters: Filters, key: string, value: string): boolean {
  const values = filters.get(key);
  if (!values || values.length === 0) return true;
  return values.some((pattern) => {
    if (pattern === value) return true;
    try {
      return new RegExp(pattern).test(value);
    } catch {
      // Docker falls back to a plain comparison where the text is no expression.
      return value.includes(pattern);
    }
  });
}

/** True when every `label` filter (`key` or `key=value`) holds and no `label!` filter does. */
export function matchesLabels(filters: Filters, labels: Readonly<Record<string, string>> | null | undefined): boolean {
  const have = (filter: string): boolean => {
    const separator = filter.indexOf('=');
    const key = separator < 0 ? filter : filter.slice(0, separator);
    if (!labels || !Object.hasOwn(labels, key)) return false;
    return separator < 0 || labels[key] === filter.slice(separator + 1);
  };
  return (filters.get('label') ?? []).every(have) && !(filters.get('label!') ?? []).some(have);
}
