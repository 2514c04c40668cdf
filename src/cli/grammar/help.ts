/** Help pages in Docker's layout. */
import { type Option, type OptionTable, valueWord } from './options.ts';

/** A command as its help shows it. */
export interface HelpPage {
  /** `berth run` */
  name: string;
  /** `[OPTIONS] IMAGE [COMMAND] [ARG...]` */
  usage: string;
  summary: string;
  /** All the names that lead here, `berth` not included. */
  aliases?: readonly string[];
  options: OptionTable;
}

/** @param columns width of the terminal */
export function renderHelp(page: HelpPage, columns: number): string {
  let text = `Usage:  ${usageLine(page)}\n\n${page.summary}\n`;
  const aliases = page.aliases ?? [];
  if (aliases.length > 1) text += `\nAliases:\n  ${aliases.map((alias) => `berth ${alias}`).join(', ')}\n`;
  const options = renderOptions(page.options, columns);
  if (options) text += `\nOptions:\n${options}`;
  return text;
}

function usageLine(page: Pick<HelpPage, 'name' | 'usage'>): string {
  return page.usage === '' ? page.name : `${page.name} ${page.usage}`;
}

/** The lines of an option table, sorted by name, descriptions wrapped to the width. */
export function renderOptions(table: OptionTable, columns: number): string {
  const rows = Object.entries(table)
    .filter(([, option]) => !option.hidden)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, option]) => ({ left: optionSpelling(name, option), right: option.help + shownDefault(option) }));
  const margin = Math.max(0, ...rows.map((row) => row.left.length)) + 3;
  return rows
    .map(({ left, right }) => `${left.padEnd(margin)}${wrap(right, margin, columns - 1)}`.trimEnd())
    .map((line) => `${line}\n`)
    .join('');
}

/** `  -m, --memory bytes` */
function optionSpelling(name: string, option: Option): string {
  const word = valueWord(option);
  const flag = option.short ? `  -${option.short}, --${name}` : `      --${name}`;
  return `${flag}${word ? ` ${word}` : ''}${option.alone === undefined ? '' : `[="${option.alone}"]`}`;
}

function shownDefault(option: Option): string {
  const text = option.shownDefault ?? option.default;
  if (text === undefined || text === '' || text === 'false') return '';
  return option.kind === 'string' ? ` (default ${JSON.stringify(text)})` : ` (default ${text})`;
}

/** Breaks a text at blanks so that it fits between margin and width; words a little too long for a line stay on it. */
function wrap(text: string, margin: number, width: number): string {
  let indent = margin;
  let room = width - indent;
  let result = '';
  if (room < 24) {
    indent = 16;
    room = width - indent;
    result = `\n${' '.repeat(indent)}`;
  }
  if (room < 24) return result + text;
  // The last line may be this much longer than the others.
  const slack = 5;
  room -= slack;
  const lines: string[] = [];
  for (const paragraph of text.split('\n')) {
    let rest = paragraph;
    while (rest.length >= room + slack + 1) {
      const blank = rest.lastIndexOf(' ', room - 1);
      if (blank <= 0) break;
      lines.push(rest.slice(0, blank));
      rest = rest.slice(blank + 1);
    }
    lines.push(rest);
  }
  return result + lines.join(`\n${' '.repeat(indent)}`);
}
