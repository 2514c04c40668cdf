/**
 * Writes docs/reference/cli/: a page for each command, out of the option tables that the parser and the help use.
 * `--check` fails when a page is not what it would write.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type CommandEntry, nouns, topCommands } from '../src/cli/commands.ts';
import { globalOptions } from '../src/cli/global-options.ts';
import { type OptionTable, valueWord } from '../src/cli/grammar/options.ts';

const folder = resolve(import.meta.dir, '../docs/reference/cli');
const note = '<!-- Written by scripts/gen-reference.ts from the option tables. Change those, not this page. -->\n';

function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
}

function optionRows(table: OptionTable): string {
  const rows = Object.entries(table)
    .filter(([, option]) => !option.hidden)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, option]) => {
      const flag = `${option.short ? `\`-${option.short}\`, ` : ''}\`--${name}\``;
      const standard = option.shownDefault ?? option.default ?? '';
      return `| ${flag} | ${valueWord(option)} | ${standard && standard !== 'false' ? `\`${standard}\`` : ''} | ${escapeCell(option.help)} |\n`;
    });
  return rows.length === 0 ? '' : `\n| option | value | default | |\n|--|--|--|--|\n${rows.join('')}`;
}

async function commandPage(name: string, entry: CommandEntry): Promise<string> {
  const { command } = await entry.load();
  const aliases =
    entry.aliases.length > 1 ? `\nThe same: ${entry.aliases.map((alias) => `\`berth ${alias}\``).join(', ')}\n` : '';
  return `${note}\n# berth ${name}\n\n${entry.summary}.\n\n    berth ${name} ${command.usage}\n${aliases}${optionRows(command.options)}`;
}

async function pages(): Promise<Map<string, string>> {
  const all = new Map<string, string>();
  const index: string[] = [];
  const add = async (name: string, entry: CommandEntry): Promise<void> => {
    const file = `${name.replace(' ', '-')}.md`;
    all.set(file, await commandPage(name, entry));
    index.push(`- [berth ${name}](${file}): ${entry.summary}\n`);
  };
  // A command that has both forms stands under its noun; the short ones that have no noun stand first.
  for (const [name, entry] of Object.entries(topCommands)) if (entry.aliases.length === 1) await add(name, entry);
  for (const [noun, { verbs }] of Object.entries(nouns))
    for (const [verb, entry] of Object.entries(verbs)) await add(`${noun} ${verb}`, entry);
  const globals = `\n## In front of every command\n${optionRows(globalOptions)}`;
  all.set('index.md', `${note}\n# The command line\n\n${index.join('')}${globals}`);
  return all;
}

const wanted = await pages();
if (process.argv.includes('--check')) {
  const there = existsSync(folder) ? readdirSync(folder) : [];
  const stale = [...wanted].filter(
    ([file, text]) => !there.includes(file) || readFileSync(`${folder}/${file}`, 'utf8') !== text,
  );
  const extra = there.filter((file) => !wanted.has(file));
  if (stale.length + extra.length > 0) {
    console.error(
      `docs/reference/cli is stale (${[...stale.map(([file]) => file), ...extra].join(', ')}): run scripts/gen-reference.ts`,
    );
    process.exit(1);
  }
} else {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const [file, text] of wanted) writeFileSync(`${folder}/${file}`, text);
}
