/**
 * Writes docs/reference/surface.md: each command, flag, key and endpoint that a user of Docker can name, with its state, out of the tables
 * that the programs run by. Fails on a name that Berth would call unknown. `--check` fails when the page is not what it would write.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { operations } from '../src/api/operations.ts';
import { type Route, type RouteName, routes } from '../src/api/routes.ts';
import { nouns, topCommands } from '../src/cli/commands.ts';
import { globalOptions } from '../src/cli/global-options.ts';
import type { OptionTable } from '../src/cli/grammar/options.ts';
import { missingCommand } from '../src/cli/missing-commands.ts';
import { options as daemonOptions, narrowOptions } from '../src/programs/daemon/config.ts';
import {
  buildFlags,
  commandFlags,
  daemonKeys,
  dockerCommands,
  globalFlags,
  runFlags,
  runLimits,
} from './docker-names.ts';

const file = resolve(import.meta.dir, '../docs/reference/surface.md');
const unknown: string[] = [];

type Row = [name: string, state: string];

function table(title: string, rows: readonly Row[]): string {
  const count = rows.filter(([, state]) => state.startsWith('works')).length;
  const lines = rows.map(
    ([name, state]) => `| \`${name.replaceAll('|', '\\|')}\` | ${state.replaceAll('|', '\\|')} |\n`,
  );
  return `\n## ${title}\n\n${count} of ${rows.length} work.\n\n| | state |\n|--|--|\n${lines.join('')}`;
}

function commandState(name: string): string {
  const [first = '', second] = name.split(' ');
  const verbs = nouns[first]?.verbs ?? {};
  const works = second === undefined ? Object.hasOwn(topCommands, first) : Object.hasOwn(verbs, second);
  if (works) return 'works';
  const reason = missingCommand(name) ?? missingCommand(first);
  if (reason === undefined) unknown.push(`the command ${name}`);
  return reason === 'not supported yet' ? 'not built yet' : `no: ${reason}`;
}

function flagRows(
  where: string,
  names: readonly string[],
  known: OptionTable,
  limits: Readonly<Record<string, string>> = {},
): Row[] {
  return names.map((name) => {
    if (!Object.hasOwn(known, name)) unknown.push(`--${name} of ${where}`);
    return [`--${name}`, limits[name] ? `partly: ${limits[name]}` : 'works'];
  });
}

/** The flags of each other command: known, or refused by name. */
async function otherFlags(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [name, flags] of Object.entries(commandFlags)) {
    const [first = '', second] = name.split(' ');
    const entry = second === undefined ? topCommands[first] : nouns[first]?.verbs[second];
    const table: OptionTable = entry ? (await entry.load()).command.options : {};
    for (const flag of flags.split(' ')) {
      const option = Object.hasOwn(table, flag) ? table[flag] : undefined;
      if (!option) unknown.push(`--${flag} of ${name}`);
      rows.push([`${name} --${flag}`, option?.refused ? `no: ${option.refused}` : 'works']);
    }
  }
  return rows;
}

function keyState(key: string): string {
  if (Object.hasOwn(daemonOptions, key)) return 'works';
  const narrow = Object.hasOwn(narrowOptions, key) ? narrowOptions[key] : undefined;
  if (!narrow) {
    unknown.push(`the key ${key}`);
    return '';
  }
  if (!narrow.only) return 'taken: it has no meaning here, or says what is so anyway';
  const values = narrow.only.map((value) => `\`${JSON.stringify(value)}\``).join(', ');
  return `${values} alone: ${narrow.why ?? 'not built yet'}`;
}

function routeState(route: Route & { name: RouteName }): string {
  if (route.refused) return `no: ${route.refused.message}`;
  return operations[route.name] ? 'works' : 'not built yet';
}

const run = (await (topCommands['run'] as (typeof topCommands)[string]).load()).command.options;
const build = (await (topCommands['build'] as (typeof topCommands)[string]).load()).command.options;
const dockerRoutes = (routes as readonly (Route & { name: RouteName })[]).filter(
  ({ path }) => !path.startsWith('/berth/'),
);
const routeName = ({ method, path }: Route): string => `${method} ${path.replace(/\{(\w+)\.\.\.\}/g, '{$1}')}`;
const tables = [
  table(
    'Commands',
    dockerCommands.map((name): Row => [name, commandState(name)]),
  ),
  table('Flags in front of every command', flagRows('every command', globalFlags, globalOptions)),
  table('Flags of run and create', flagRows('run', runFlags, run, runLimits)),
  table('Flags of build', flagRows('build', buildFlags, build)),
  table('Flags of the other commands', await otherFlags()),
  table(
    'Keys of daemon.json',
    daemonKeys.map((key): Row => [key, keyState(key)]),
  ),
  table(
    'Endpoints',
    dockerRoutes.map((route): Row => [routeName(route), routeState(route)]),
  ),
];
const page = `<!-- Written by scripts/gen-surface.ts out of the tables in src/. Change those, not this page. -->

# What a user of Docker can name

Nothing here is answered with "unknown". What is not built yet is refused with one clear line (exit status 1 or 125; 501 over the API), as
is what Berth leaves to others. [openapi.json](openapi.json) describes the endpoints, [cli/](cli/index.md) the commands.
${tables.join('')}`;

if (unknown.length > 0) {
  console.error(`Berth does not know what Docker's users may name: ${unknown.join(', ')}`);
  process.exit(1);
}
if (process.argv.includes('--check')) {
  if (!existsSync(file) || readFileSync(file, 'utf8') !== page) {
    console.error('docs/reference/surface.md is stale: run scripts/gen-surface.ts');
    process.exit(1);
  }
} else writeFileSync(file, page);
