/**
 * Words and variables of a Dockerfile, by BuildKit's rules: quotes, escapes, `$name`, `${name}` and its modifiers. No command
 * substitution, no splitting of what a variable brings in.
 */
import { removePrefix, removeSuffix, replacePattern } from './shell-pattern.ts';

export interface LexerOptions {
  /** `\` or a backtick. */
  escapeSign: string;
  /** A variable that is not set stays as it was written. */
  keepUnset?: boolean;
  /** Quotes and escapes stay in the words. */
  raw?: boolean;
}

/** What is wrong with a word, without the word itself. */
class WordError extends Error {}

/** What a word became. */
export interface Expanded {
  text: string;
  /** Names that the word asked for and nobody has set. */
  unset: string[];
  /** Names that it asked for and that have values. */
  set: string[];
}

export class ShellLexer {
  readonly #options: LexerOptions;

  constructor(options: LexerOptions) {
    this.#options = options;
  }

  /** One word: blanks are part of it. Error: `Error` `failed to process "word": …`. */
  expand(word: string, variables: ReadonlyMap<string, string>): Expanded {
    const run = this.#run(word, variables);
    return { text: run.text, unset: [...run.unset], set: [...run.set] };
  }

  /** The words that blanks outside of quotes make of the text. Error: as `expand`. */
  words(text: string, variables: ReadonlyMap<string, string>): string[] {
    return this.#run(text, variables).words;
  }

  #run(
    text: string,
    variables: ReadonlyMap<string, string>,
  ): { text: string; words: string[]; unset: Set<string>; set: Set<string> } {
    const scan = new WordScan(text, variables, this.#options);
    try {
      const whole = scan.run();
      return { text: whole, words: scan.words, unset: scan.unset, set: scan.set };
    } catch (error) {
      if (!(error instanceof WordError)) throw error;
      throw new Error(`failed to process ${JSON.stringify(text)}: ${error.message}`, { cause: error });
    }
  }
}

const nameStart = /[A-Za-z_]/;
const namePart = /[A-Za-z0-9_]/;

class WordScan {
  readonly words: string[] = [];
  readonly unset = new Set<string>();
  readonly set = new Set<string>();
  readonly #characters: string[];
  readonly #variables: ReadonlyMap<string, string>;
  readonly #options: LexerOptions;
  #at = 0;
  #word = '';
  #inWord = false;

  constructor(text: string, variables: ReadonlyMap<string, string>, options: LexerOptions) {
    this.#characters = [...text];
    this.#variables = variables;
    this.#options = options;
  }

  run(): string {
    const text = this.#until(null, true);
    if (this.#inWord) this.words.push(this.#word);
    return text;
  }

  #peek(): string | undefined {
    return this.#characters[this.#at];
  }

  /** Reads up to an unquoted `end`, which is taken. Null: up to the end of the text. */
  #until(end: string | null, top: boolean): string {
    let result = '';
    for (;;) {
      const character = this.#peek();
      if (character === undefined) {
        if (end !== null) throw new WordError(`syntax error: missing '${end}'`);
        return result;
      }
      if (character === end) {
        this.#at++;
        return result;
      }
      if (top && /\s/.test(character)) {
        this.#at++;
        result += character;
        this.#endWord();
        continue;
      }
      const part = this.#piece(character);
      result += part;
      if (top) {
        this.#word += part;
        // An unset variable alone makes no word, an empty pair of quotes does.
        this.#inWord ||= part !== '' || character === '"' || character === "'";
      }
    }
  }

  #endWord(): void {
    if (this.#inWord) this.words.push(this.#word);
    this.#word = '';
    this.#inWord = false;
  }

  #piece(character: string): string {
    const { escapeSign, raw } = this.#options;
    if (character === "'") return this.#singleQuoted();
    if (character === '"') return this.#doubleQuoted();
    if (character === '$') return this.#variable();
    this.#at++;
    if (character !== escapeSign) return character;
    const next = this.#characters[this.#at++];
    // An escape sign at the very end says nothing.
    if (next === undefined) return raw ? escapeSign : '';
    return raw ? escapeSign + next : next;
  }

  #singleQuoted(): string {
    const end = this.#characters.indexOf("'", this.#at + 1);
    if (end < 0) throw new WordError('unexpected end of statement while looking for matching single-quote');
    const inside = this.#characters.slice(this.#at + 1, end).join('');
    this.#at = end + 1;
    return this.#options.raw ? `'${inside}'` : inside;
  }

  #doubleQuoted(): string {
    const { escapeSign, raw } = this.#options;
    let result = raw ? '"' : '';
    this.#at++;
    for (;;) {
      const character = this.#peek();
      if (character === undefined)
        throw new WordError('unexpected end of statement while looking for matching double-quote');
      if (character === '"') {
        this.#at++;
        return raw ? `${result}"` : result;
      }
      if (character === '$') {
        result += this.#variable();
        continue;
      }
      this.#at++;
      if (character !== escapeSign) {
        result += character;
        continue;
      }
      const next = this.#characters[this.#at++];
      if (next === undefined)
        throw new WordError('unexpected end of statement while looking for matching double-quote');
      // Only these three need an escape here; before anything else the sign is a character.
      const isEscaped = next === '"' || next === '$' || next === escapeSign;
      result += raw || !isEscaped ? escapeSign + next : next;
    }
  }

  #variable(): string {
    this.#at++;
    const character = this.#peek();
    if (character === '{') return this.#braced();
    const name = this.#name();
    if (name === '') return '$';
    return this.#value(name) ?? (this.#options.keepUnset ? `$${name}` : '');
  }

  /** Names, positions ($1) and the shell's special ones ($@): the latter two are one sign long. */
  #name(): string {
    const first = this.#peek();
    if (first === undefined) return '';
    if (!nameStart.test(first)) {
      if (!/[0-9@*#?\-$!]/.test(first)) return '';
      this.#at++;
      if (!/[0-9]/.test(first)) return first;
      let digits = first;
      while (/[0-9]/.test(this.#peek() ?? '')) digits += this.#characters[this.#at++];
      return digits;
    }
    let name = '';
    while (namePart.test(this.#peek() ?? '')) name += this.#characters[this.#at++];
    return name;
  }

  #value(name: string): string | undefined {
    const value = this.#variables.get(name);
    (value === undefined ? this.unset : this.set).add(name);
    return value;
  }

  #braced(): string {
    const start = this.#at - 1;
    this.#at++;
    const next = this.#peek();
    if (next === undefined) throw new WordError("syntax error: missing '}'");
    if (next === '}' || next === ':') throw new WordError('syntax error: bad substitution');
    const name = this.#name();
    if (name === '') throw new WordError('syntax error: bad substitution');
    const sign = this.#peek();
    if (sign === undefined) throw new WordError("syntax error: missing '}'");
    this.#at++;
    if (sign === '}') {
      const value = this.#value(name);
      return value ?? (this.#options.keepUnset ? `\${${name}}` : '');
    }
    const value = this.#value(name);
    const result = this.#modified(name, sign, value);
    // What cannot be known yet stays whole.
    if (this.#options.keepUnset && value === undefined && !'-+?:'.includes(sign))
      return this.#characters.slice(start, this.#at).join('');
    return result;
  }

  #modified(name: string, sign: string, value: string | undefined): string {
    switch (sign) {
      case ':': {
        const modifier = this.#characters[this.#at++];
        if (modifier === undefined) throw new WordError("syntax error: missing ':' modifier");
        return this.#conditional({ name, modifier, value: value === '' ? undefined : value, colon: true });
      }
      case '-':
      case '+':
      case '?':
        return this.#conditional({ name, modifier: sign, value, colon: false });
      case '#':
      case '%':
        return this.#trimmed(sign, value ?? '');
      case '/':
        return this.#replaced(value ?? '');
      default:
        throw new WordError(`unsupported modifier (${sign}) in substitution`);
    }
  }

  #conditional(what: { name: string; modifier: string; value: string | undefined; colon: boolean }): string {
    const { name, modifier, value, colon } = what;
    if (!'-+?'.includes(modifier))
      throw new WordError(`unsupported modifier (${colon ? ':' : ''}${modifier}) in substitution`);
    const word = this.#until('}', false);
    if (modifier === '-') return value ?? word;
    if (modifier === '+') return value === undefined ? '' : word;
    if (value === undefined)
      throw new WordError(`${name}: ${word || `not allowed to be ${colon ? 'empty or ' : ''}unset`}`);
    return value;
  }

  #trimmed(sign: '#' | '%', value: string): string {
    const greedy = this.#peek() === sign;
    if (greedy) this.#at++;
    const pattern = this.#pattern('}');
    return sign === '#' ? removePrefix(value, pattern, greedy) : removeSuffix(value, pattern, greedy);
  }

  #replaced(value: string): string {
    const all = this.#peek() === '/';
    if (all) this.#at++;
    const pattern = this.#pattern('/');
    const replacement = this.#until('}', false);
    return replacePattern(value, { pattern, replacement, all });
  }

  /** A pattern keeps its escapes: they make wildcards plain. */
  #pattern(end: string): string {
    const { escapeSign } = this.#options;
    let pattern = '';
    for (;;) {
      const character = this.#peek();
      if (character === undefined) throw new WordError(`syntax error: missing '${end}'`);
      if (character === end) {
        this.#at++;
        return pattern;
      }
      if (character === escapeSign) {
        const next = this.#characters[this.#at + 1];
        pattern += next === end ? next : `\\${next ?? ''}`;
        this.#at += 2;
      } else if (character === '"' || character === "'" || character === '$') {
        // What is quoted or comes out of a variable is plain text.
        const quoted = character !== '$';
        const text = this.#piece(character);
        pattern += quoted ? text.replace(/[\\*?]/g, '\\$&') : text;
      } else {
        pattern += character;
        this.#at++;
      }
    }
  }
}
