import { parseError, type SourceRange } from './source-error.ts';
import { suggestion } from './suggestion.ts';

/** What a flag takes: one value, several, or none (`--link`, also `--link=false`). */
export type FlagKind = 'text' | 'list' | 'boolean';

/** The `--flags` at the start of an instruction's arguments and what comes behind them. */
export function takeFlags(text: string): { flags: string[]; rest: string } {
  const flags: string[] = [];
  let at = 0;
  for (;;) {
    while (/\s/.test(text[at] ?? '')) at++;
    if (!text.startsWith('--', at)) return { flags, rest: text.slice(at) };
    const { word, end } = flagWord(text, at);
    at = end;
    // Two dashes alone end the flags.
    if (word === '--') return { flags, rest: text.slice(at).trimStart() };
    flags.push(word);
  }
}

/** A word up to the next blank outside of quotes; quotes and escapes are taken away. */
function flagWord(text: string, start: number): { word: string; end: number } {
  let word = '';
  let quote = '';
  let at = start;
  for (; at < text.length; at++) {
    const character = text[at] as string;
    if (quote === '' && /\s/.test(character)) break;
    if (character === '\\' && quote !== "'") {
      word += text[++at] ?? '';
    } else if (quote === '' && (character === '"' || character === "'")) {
      quote = character;
    } else if (character === quote) {
      quote = '';
    } else {
      word += character;
    }
  }
  return { word, end: at };
}

/** The flags by name. Errors: BuildKit's for one that is unknown, doubled, or lacks its value. */
export function readFlags(
  flags: readonly string[],
  known: Readonly<Record<string, FlagKind>>,
  range: SourceRange,
): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const flag of flags) {
    const separator = flag.indexOf('=');
    const name = separator < 0 ? flag.slice(2) : flag.slice(2, separator);
    const value = separator < 0 ? null : flag.slice(separator + 1);
    const kind = Object.hasOwn(known, name) ? known[name] : undefined;
    if (!kind) throw parseError(`unknown flag: --${name}${suggestion(name, Object.keys(known))}`, range);
    const values = found.get(name);
    if (values && kind !== 'list') throw parseError(`duplicate flag specified: --${name}`, range);
    if (kind === 'boolean') {
      const text = value === null ? 'true' : value.toLowerCase();
      if (text !== 'true' && text !== 'false')
        throw parseError(`expecting boolean value for flag --${name}, not: ${value}`, range);
      found.set(name, [text]);
      continue;
    }
    if (value === null) throw parseError(`missing a value on flag: --${name}`, range);
    if (values) values.push(value);
    else found.set(name, [value]);
  }
  return found;
}
