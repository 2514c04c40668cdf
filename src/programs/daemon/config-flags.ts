/** The flags of `berth daemon`, out of the table of `config.ts`. */
import { BerthError } from '../../api/errors.ts';
import { goBoolean, notBoolean } from '../../base/go-boolean.ts';
import { checkNarrow } from './check-config.ts';
import { type Kind, narrowOptions, type Option, options } from './config.ts';

/** By key of the configuration. */
export type FlagValues = Record<string, unknown>;

export interface Flags {
  values: FlagValues;
  help: boolean;
  version: boolean;
  validate: boolean;
}

type AnyOption = Pick<Option, 'kind' | 'flag' | 'short'>;

const all: Readonly<Record<string, AnyOption>> = { ...narrowOptions, ...options };

/** Flags that say what is to be done, not how. */
const actions: Record<string, 'help' | 'version' | 'validate'> = {
  '--help': 'help',
  '-h': 'help',
  '--version': 'version',
  '-v': 'version',
  '--validate': 'validate',
};

/** Error: `invalid` in the words of dockerd. */
export function parseFlags(argv: readonly string[]): Flags {
  const flags: Flags = { values: {}, help: false, version: false, validate: false };
  for (let index = 0; index < argv.length; index++) {
    const argument = argv[index] as string;
    const action = actions[argument];
    if (action) {
      flags[action] = true;
      continue;
    }
    const match = /^(?:--([a-z0-9][a-z0-9-]*)|-([A-Za-z]))(?:=(.*))?$/s.exec(argument);
    if (!match) throw new BerthError('invalid', `"berth daemon" accepts no arguments: ${argument}`);
    const key = findFlag(match[1], match[2]);
    if (key === undefined)
      throw new BerthError(
        'invalid',
        match[1] ? `unknown flag: --${match[1]}` : `unknown shorthand flag: '${match[2]}' in ${argument}`,
      );
    const { kind } = all[key] as AnyOption;
    let text = match[3];
    if (text === undefined) text = kind === 'boolean' ? 'true' : argv[++index];
    if (text === undefined) throw new BerthError('invalid', `flag needs an argument: ${argument}`);
    flags.values[key] = readFlag({ key, kind, text, before: flags.values[key] });
    checkNarrow(key, flags.values[key], (why) => new BerthError('invalid', `--${flagName(key)}: ${why}`));
  }
  return flags;
}

function flagName(key: string): string {
  return all[key]?.flag ?? key;
}

function findFlag(long: string | undefined, short: string | undefined): string | undefined {
  return Object.keys(all).find((key) => {
    const option = all[key] as AnyOption;
    if (option.flag === null) return false;
    return long === undefined ? option.short === short : flagName(key) === long;
  });
}

interface FlagText {
  key: string;
  kind: Kind;
  text: string;
  /** Value of the same flag, given before. */
  before: unknown;
}

function readFlag(flag: FlagText): unknown {
  const { kind, text, before } = flag;
  switch (kind) {
    case 'boolean': {
      const value = goBoolean(text);
      if (value === null) throw badArgument(flag, notBoolean(text));
      return value;
    }
    case 'number':
      if (!/^-?\d+$/.test(text)) throw badArgument(flag, `strconv.ParseInt: parsing "${text}": invalid syntax`);
      return Number(text);
    case 'list':
      return [...((before as string[] | undefined) ?? []), text];
    case 'map': {
      const [name, value] = splitPair(flag);
      return { ...(before as object | undefined), [name]: value };
    }
    case 'object':
      return readObject(flag);
    default:
      return text;
  }
}

/** Flags whose values have a grammar of their own. */
function readObject(flag: FlagText): unknown {
  const { key, text, before } = flag;
  if (key === 'default-address-pools') {
    const fields = Object.fromEntries(text.split(',').map((field) => field.trim().split('=') as [string, string]));
    if (!fields['base'] || !/^\d+$/.test(fields['size'] ?? ''))
      throw badArgument(flag, 'invalid field: must be base=CIDR,size=BITS');
    return [...((before as unknown[] | undefined) ?? []), { base: fields['base'], size: Number(fields['size']) }];
  }
  const [name, value] = splitPair(flag);
  if (key === 'default-ulimits') {
    const [soft, hard = soft] = value.split(':');
    if (!/^-?\d+$/.test(soft ?? '') || !/^-?\d+$/.test(hard ?? '')) throw badArgument(flag, `invalid ulimit: ${text}`);
    return { ...(before as object | undefined), [name]: { Name: name, Soft: Number(soft), Hard: Number(hard) } };
  }
  if (key === 'default-network-opts') {
    const known = (before ?? {}) as Record<string, object>;
    const [option, setting] = splitPair({ ...flag, text: value });
    return { ...known, [name]: { ...known[name], [option]: setting } };
  }
  return { ...(before as object | undefined), [name]: key === 'runtimes' ? { path: value } : value };
}

function splitPair(flag: FlagText): [string, string] {
  const separator = flag.text.indexOf('=');
  if (separator <= 0) throw badArgument(flag, 'must be key=value');
  return [flag.text.slice(0, separator), flag.text.slice(separator + 1)];
}

function badArgument({ key, text }: FlagText, why: string): BerthError {
  return new BerthError('invalid', `invalid argument "${text}" for "--${flagName(key)}" flag: ${why}`);
}

/** The text of `berth daemon --help`. */
export function daemonHelp(): string {
  const rows = Object.entries(options).flatMap(([key, option]) => {
    if (option.flag === null) return [];
    return [row(option.short ? `-${option.short}, ` : '    ', `${flagName(key)}${typeText(option.kind)}`, option.help)];
  });
  rows.push(row('    ', 'validate', 'Check the configuration and exit'));
  rows.push(row('-v, ', 'version', 'Print the version and exit'));
  rows.sort((a, b) => (a.slice(6) < b.slice(6) ? -1 : 1));
  return `Usage:  berth daemon [OPTIONS]\n\nA self-sufficient runtime for containers.\n\nOptions:\n${rows.join('\n')}`;
}

function row(short: string, long: string, help: string): string {
  return `  ${short}${`--${long}`.padEnd(36)} ${help}`;
}

function typeText(kind: Kind): string {
  return kind === 'boolean' ? '' : ` ${kind === 'object' ? 'map' : kind}`;
}
