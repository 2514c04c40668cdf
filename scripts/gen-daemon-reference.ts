/**
 * Writes docs/reference/daemon.md: every key of daemon.json and flag of `berth daemon`, out of the tables that read them.
 * `--check` fails when the page is not what it would write.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import {
  defaultConfig,
  type NarrowOption,
  narrowOptions,
  type Option,
  options,
} from '../src/programs/daemon/config.ts';

const path = resolve(import.meta.dir, '../docs/reference/daemon.md');
const defaults = defaultConfig('~/.docker') as unknown as Record<string, unknown>;

function flagCell(key: string, { flag, short }: Pick<Option, 'flag' | 'short'>): string {
  if (flag === null) return '';
  return `${short ? `\`-${short}\`, ` : ''}\`--${flag ?? key}\``;
}

function valueCell(value: unknown): string {
  const text = JSON.stringify(value);
  return text === undefined || ['""', '[]', '{}', 'false'].includes(text) ? '' : `\`${text}\``;
}

function row(cells: string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`;
}

function taken([key, option]: [string, Option]): string {
  const cells = [option.flagOnly ? '' : `\`${key}\``, flagCell(key, option), option.kind, valueCell(defaults[key])];
  return row([...cells, option.reloadable ? 'yes' : '', option.help]);
}

function narrow([key, option]: [string, NarrowOption]): string {
  const values = option.only?.map((value) => `\`${JSON.stringify(value)}\``).join(', ') ?? 'any';
  const why = option.only ? (option.why ?? 'anything else is not supported yet') : 'without effect here';
  return row([`\`${key}\``, flagCell(key, option), values, why]);
}

const sorted = <T>(table: Record<string, T>): [string, T][] =>
  Object.entries(table).sort(([a], [b]) => (a < b ? -1 : 1));
const page = `<!-- Written by scripts/gen-daemon-reference.ts from the tables of src/programs/daemon/config.ts. Change those, not this page. -->

# berth daemon and daemon.json

\`/etc/berth/daemon.json\` has dockerd's keys. A key may not stand in the file and on the command line at once. \`berth daemon --validate\` checks
both; SIGHUP takes over the keys that say so.

| key | flag | kind | default | SIGHUP | |
|--|--|--|--|--|--|
${sorted(options).map(taken).join('')}
\`http-proxy\`, \`https-proxy\` and \`no-proxy\` stand in the file under \`proxies\`.

## Keys of dockerd that are known, and what they may say

| key | flag | value | else |
|--|--|--|--|
${sorted(narrowOptions).map(narrow).join('')}`;

if (process.argv.includes('--check')) {
  if (readFileSync(path, 'utf8') !== page) {
    console.error('docs/reference/daemon.md is stale: run scripts/gen-daemon-reference.ts');
    process.exit(1);
  }
} else writeFileSync(path, page);
