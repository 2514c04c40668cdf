/** Help, and what is said about words that do not fit. */
import type { Command } from './command.ts';
import { type CommandEntry, commonCommands, type NounEntry, nouns, topCommands, yieldingNouns } from './commands.ts';
import { globalOptions } from './global-options.ts';
import { renderHelp, renderOptions } from './grammar/help.ts';
import { nearestWords } from './grammar/suggest.ts';
import { missingCommand } from './missing-commands.ts';
import type { Plugin } from './plugins/plugins.ts';
import { terminalSize } from './streams/terminal.ts';

async function helpWidth(): Promise<number> {
  return (await terminalSize())?.columns ?? 80;
}

export async function commandHelp(name: string, entry: CommandEntry, command: Command): Promise<string> {
  const { summary, aliases } = entry;
  const page = { name: `berth ${name}`, usage: command.usage, summary, aliases, options: command.options };
  return renderHelp(page, await helpWidth());
}

export function nounHelp(word: string, noun: NounEntry): string {
  return `Usage:  berth ${word} COMMAND

${noun.summary}

Commands:
${rows(noun.verbs)}
Run 'berth ${word} COMMAND --help' for more information on a command.
`;
}

/** @param plugins marked with a star; what is built in goes before a plugin of the same name */
export async function mainHelp(plugins: readonly Plugin[]): Promise<string> {
  const common = Object.fromEntries(commonCommands.map((name) => [name, topCommands[name] as CommandEntry]));
  const others = Object.fromEntries(Object.entries(topCommands).filter(([name]) => !commonCommands.includes(name)));
  return `Usage:  berth [OPTIONS] COMMAND

A container engine that speaks Docker's language

Common Commands:
${rows(common, commonCommands)}
Management Commands:
${rows(managementCommands(plugins))}
Commands:
${rows({ ...others, daemon: { summary: 'Run the engine' } })}
Global Options:
${renderOptions(globalOptions, await helpWidth())}
${invalidPlugins(plugins)}Run 'berth COMMAND --help' for more information on a command.
`;
}

function managementCommands(plugins: readonly Plugin[]): Record<string, { summary: string }> {
  const list: Record<string, { summary: string }> = { ...nouns };
  for (const { name, problem, metadata } of plugins) {
    if (problem !== '' || isBuiltIn(name)) continue;
    delete list[name];
    list[`${name}*`] = { summary: metadata?.ShortDescription ?? '' };
  }
  return list;
}

function isBuiltIn(name: string): boolean {
  return !yieldingNouns.has(name) && (name in nouns || name in topCommands);
}

function invalidPlugins(plugins: readonly Plugin[]): string {
  const rejected = plugins.filter(({ problem }) => problem !== '');
  if (rejected.length === 0) return '';
  return `Invalid Plugins:\n${rows(Object.fromEntries(rejected.map(({ name, problem }) => [name, { summary: problem }])))}\n`;
}

/** @param order of the names; by alphabet without one */
function rows(entries: Record<string, { summary: string }>, order?: readonly string[]): string {
  const names = order ?? Object.keys(entries).sort();
  const list = names.map((name) => [name, entries[name] as { summary: string }] as const);
  const width = Math.max(11, ...list.map(([name]) => name.length));
  return list.map(([name, { summary }]) => `  ${name.padEnd(width)} ${summary}\n`).join('');
}

export function unknownCommandText(word: string, known: string[], prefix: string): string {
  const reason = missingCommand(`${prefix}${word}`);
  if (reason) return `berth ${prefix}${word}: ${reason}`;
  const near = nearestWords(word, known);
  const parts = [`berth: unknown command: berth ${prefix}${word}`];
  if (near.length > 0) parts.push(`Did you mean ${near.map((one) => `'${prefix}${one}'`).join(' or ')}?`);
  if (prefix !== '') parts.push(`Usage:  berth ${prefix.trimEnd()}`);
  return [...parts, `Run 'berth ${prefix}--help' for more information`].join('\n\n');
}

export function wordCountProblem(name: string, command: Command): string {
  const { least, most } = command.words;
  const takes =
    most === 0
      ? 'accepts no arguments'
      : most === undefined
        ? `requires at least ${argumentsText(least)}`
        : least === most
          ? `requires ${argumentsText(least)}`
          : least === 0
            ? `requires at most ${argumentsText(most)}`
            : `requires at least ${least} and at most ${argumentsText(most)}`;
  const full = `berth ${name}`;
  return `berth: '${full}' ${takes}\n\nUsage:  ${full} ${command.usage}\n\n${most === undefined ? 'See' : 'Run'} '${full} --help' for more information`;
}

function argumentsText(count: number): string {
  return count === 1 ? '1 argument' : `${count} arguments`;
}
