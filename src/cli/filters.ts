import type { Filters } from '../wire/filters.ts';

/** A value of `--filter`. Error: no equals sign. */
export function checkFilter(text: string): string {
  if (text !== '' && !text.includes('=')) throw new Error('bad format of filter (expected name=value)');
  return text;
}

/** `--filter key=value`, as often as given. */
export function collectFilters(texts: readonly string[]): Filters {
  const filters = new Map<string, string[]>();
  for (const text of texts) {
    if (text === '') continue;
    const equals = text.indexOf('=');
    const key = text.slice(0, equals).trim().toLowerCase();
    const value = text.slice(equals + 1).trim();
    const values = filters.get(key) ?? [];
    if (!values.includes(value)) values.push(value);
    filters.set(key, values);
  }
  return filters;
}
