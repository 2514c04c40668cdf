import { BerthError } from '../../api/errors.ts';
import { type Filters, filterBoolean, matchesExactly, matchesLabels, matchesPattern } from '../../wire/filters.ts';
import type { Network } from './network-table.ts';

export const predefinedNames: ReadonlySet<string> = new Set(['bridge', 'host', 'none']);

/** Networks that every engine has; they cannot be removed. */
export function isPredefined(network: Network): boolean {
  return predefinedNames.has(network.name);
}

/** Whether `GET /networks` shows the network. Error: `invalid` for a value that a filter does not know. */
export function matchesFilters(network: Network, filters: Filters, inUse: boolean): boolean {
  for (const type of filters.get('type') ?? []) {
    if (type !== 'custom' && type !== 'builtin') throw new BerthError('invalid', `invalid filter: 'type'='${type}'`);
  }
  if (filters.has('dangling')) {
    if (!filters.get('dangling')?.every((value) => /^(true|false|1|0)$/.test(value)))
      throw new BerthError(
        'invalid',
        `invalid value for filter 'dangling', must be "true" (or "1"), or "false" (or "0")`,
      );
    const dangling = filterBoolean(filters, 'dangling', true);
    // Networks that cannot be removed are neither.
    if (isPredefined(network) || inUse === dangling) return false;
  }
  return (
    matchesPattern(filters, 'name', network.name) &&
    matchesPattern(filters, 'id', network.id) &&
    matchesExactly(filters, 'driver', network.driver) &&
    matchesExactly(filters, 'scope', 'local') &&
    matchesExactly(filters, 'type', isPredefined(network) ? 'builtin' : 'custom') &&
    matchesLabels(filters, network.labels)
  );
}
