/** What the prune commands share. */

import type { Filters } from '../wire/filters.ts';
import { type Cli, ExitStatus } from './command.ts';
import { checkFilter, collectFilters } from './filters.ts';
import { defineOptions } from './grammar/options.ts';

export const pruneOptions = defineOptions({
  filter: {
    kind: 'list',
    value: 'filter',
    help: 'Only those that the condition (until=10m, label=key) holds for',
    check: checkFilter,
  },
  force: { kind: 'bool', short: 'f', help: 'Do not ask first' },
});

/** `--filter`, and what config.json has under `pruneFilters` unless the command line says the opposite. */
export function pruneFilters(cli: Cli, texts: readonly string[]): Filters {
  const { pruneFilters: configured = [] } = cli.config;
  const opposite = (text: string): string =>
    text.startsWith('label!=') ? text.replace('label!=', 'label=') : text.replace(/^label=/, 'label!=');
  return collectFilters([...texts, ...configured.filter((text) => !texts.includes(opposite(text)))]);
}

/** Asks unless told not to. Error: exit status 0 without a word for any answer but yes: nothing was asked for in the end. */
export async function confirmPrune(cli: Cli, force: boolean, warning: string): Promise<void> {
  if (force) return;
  await cli.out.write(`${warning}\nAre you sure you want to continue? [y/N] `);
  const { readLine } = await import('./streams/prompt.ts');
  const answer = await readLine({ echo: true });
  if (/^y(es)?$/i.test(answer.trim())) return;
  throw new ExitStatus(0);
}
