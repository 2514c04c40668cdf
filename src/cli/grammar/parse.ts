/** Reads arguments by an option table, with the grammar of Docker's command line (https://github.com/spf13/pflag). */
import { BerthError } from '../../api/errors.ts';
import type { Option, OptionTable, OptionValues } from './options.ts';
import {
  parseBoolean,
  parseBytesOrUnlimited,
  parseInteger,
  parseNanoCpus,
  parseNanoseconds,
  parseUnsigned16,
  splitCsv,
} from './values.ts';

export interface Parsed<Table extends OptionTable> {
  options: OptionValues<Table>;
  /** Names of the options that were given. */
  given: ReadonlySet<string>;
  /** What is not an option, in order. */
  words: string[];
  /** `--help` was among them; everything behind it is unread. */
  help: boolean;
}

export interface Grammar {
  /** False: the first word ends the options (`run IMAGE ls -l`). */
  interspersed: boolean;
}

/** Error: `invalid` with code `usage`, in pflag's words. */
export function parseArguments<Table extends OptionTable>(
  table: Table,
  argv: readonly string[],
  grammar: Grammar,
): Parsed<Table> {
  return new Parser(table, argv, grammar).parse() as Parsed<Table>;
}

function usageError(message: string): BerthError {
  return new BerthError('invalid', message, { code: 'usage' });
}

class Parser {
  private readonly table: OptionTable;
  private readonly argv: readonly string[];
  private readonly interspersed: boolean;
  private readonly shorts = new Map<string, string>();
  private readonly values: Record<string, unknown> = {};
  private readonly given = new Set<string>();
  private readonly words: string[] = [];
  private at = 0;

  constructor(table: OptionTable, argv: readonly string[], grammar: Grammar) {
    this.table = table;
    this.argv = argv;
    this.interspersed = grammar.interspersed;
    // A table of ninety options: no function is called for each, because one that is called so often gets compiled, and the compiler's thread
    // costs a tenth of the program's start.
    for (const name of Object.keys(table)) {
      const option = table[name] as Option;
      const { kind } = option;
      if (option.short) this.shorts.set(option.short, name);
      if (option.default !== undefined) this.values[name] = defaultValue(option);
      else if (kind === 'bool') this.values[name] = false;
      else if (kind === 'list' || kind === 'csv') this.values[name] = [];
      else this.values[name] = kind === 'string' ? '' : 0;
    }
  }

  parse(): Parsed<OptionTable> {
    while (this.at < this.argv.length) {
      const argument = this.argv[this.at++] as string;
      if (argument === '--') break;
      if (argument.length < 2 || argument[0] !== '-') {
        this.words.push(argument);
        if (!this.interspersed) break;
        continue;
      }
      const help = argument[1] === '-' ? this.long(argument) : this.cluster(argument);
      if (help) return this.result(true);
    }
    this.words.push(...this.argv.slice(this.at));
    return this.result(false);
  }

  private result(help: boolean): Parsed<OptionTable> {
    return { options: this.values as OptionValues<OptionTable>, given: this.given, words: this.words, help };
  }

  /** `--name`, `--name=value`, `--name value`. True for `--help`. */
  private long(argument: string): boolean {
    const equals = argument.indexOf('=');
    const name = equals < 0 ? argument.slice(2) : argument.slice(2, equals);
    if (name === '' || name[0] === '-') throw usageError(`bad flag syntax: ${argument}`);
    const option = Object.hasOwn(this.table, name) ? this.table[name] : undefined;
    if (!option) {
      if (name === 'help') return true;
      throw usageError(`unknown flag: --${name}`);
    }
    if (equals >= 0) this.set(name, option, argument.slice(equals + 1));
    else if (alone(option) !== undefined) this.set(name, option, alone(option) as string);
    else if (this.at < this.argv.length) this.set(name, option, this.argv[this.at++] as string);
    else throw usageError(`flag needs an argument: --${name}`);
    return false;
  }

  /** `-it`, `-p8080:80`, `-p=8080:80`, `-p 8080:80`. True for `-h` where it is no option of the command. */
  private cluster(argument: string): boolean {
    for (let index = 1; index < argument.length; index++) {
      const letter = argument[index] as string;
      const remaining = argument.slice(index);
      const name = this.shorts.get(letter);
      if (name === undefined) {
        if (letter === 'h') return true;
        throw usageError(`unknown shorthand flag: '${letter}' in -${remaining}`);
      }
      const option = this.table[name] as Option;
      if (remaining[1] === '=' && remaining.length > 2) {
        this.set(name, option, remaining.slice(2));
        return false;
      }
      const value = alone(option);
      if (value !== undefined) {
        this.set(name, option, value);
        continue;
      }
      if (remaining.length > 1) this.set(name, option, remaining.slice(1));
      else if (this.at < this.argv.length) this.set(name, option, this.argv[this.at++] as string);
      else throw usageError(`flag needs an argument: '${letter}' in -${remaining}`);
      return false;
    }
    return false;
  }

  private set(name: string, option: Option, text: string): void {
    if (option.refused !== undefined) throw usageError(`--${name}: ${option.refused}`);
    try {
      const checked = option.check ? option.check(text) : text;
      if (option.kind === 'list' || option.kind === 'csv') {
        const values = option.kind === 'csv' ? splitCsv(checked) : [checked];
        // What is given replaces a default instead of adding to it.
        this.values[name] = this.given.has(name) ? [...(this.values[name] as string[]), ...values] : values;
      } else this.values[name] = convert(option, checked);
    } catch (cause) {
      const shown = option.short ? `-${option.short}, --${name}` : `--${name}`;
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw usageError(`invalid argument ${JSON.stringify(text)} for "${shown}" flag: ${reason}`);
    }
    this.given.add(name);
  }
}

function alone(option: Option): string | undefined {
  return option.kind === 'bool' ? 'true' : option.alone;
}

function defaultValue(option: Option): unknown {
  const text = option.default as string;
  return option.kind === 'list' || option.kind === 'csv' ? splitCsv(text) : convert(option, text);
}

function convert(option: Option, text: string): unknown {
  switch (option.kind) {
    case 'bool':
      return parseBoolean(text);
    case 'int':
      return parseInteger(text);
    case 'uint16':
      return parseUnsigned16(text);
    case 'bytes':
      return parseBytesOrUnlimited(text);
    case 'duration':
      return parseNanoseconds(text);
    case 'decimal':
      return parseNanoCpus(text);
    default:
      return text;
  }
}
