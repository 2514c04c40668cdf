/** What Go's encoding/json says about a text that is no JSON, so that clients see the words they know. */

/** Go refuses deeper nesting. */
const maximumDepth = 10_000;

class Failure extends Error {}

/**
 * Looks at a text that JSON.parse refused.
 * @returns the words of Go's decoder; `trailing` when a whole value stands first and something follows; `empty` for a text of blanks
 */
export function explainSyntax(text: string): { problem: 'empty' } | { problem: 'trailing' } | { problem: string } {
  const scanner = new Scanner(text);
  try {
    scanner.skipBlanks();
    if (scanner.atEnd) return { problem: 'empty' };
    scanner.value();
    scanner.skipBlanks();
    return { problem: 'trailing' };
  } catch (error) {
    if (error instanceof Failure) return { problem: error.message };
    throw error;
  }
}

/** Walks over one JSON value with a stack of its own; throws `Failure` with Go's words. */
class Scanner {
  readonly #text: string;
  #position = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get atEnd(): boolean {
    return this.#position >= this.#text.length;
  }

  skipBlanks(): void {
    while (/^[ \t\r\n]$/.test(this.#text[this.#position] ?? '')) this.#position++;
  }

  value(): void {
    const open: ('[' | '{')[] = [];
    let expectValue = true;
    while (true) {
      this.skipBlanks();
      if (expectValue) {
        const character = this.#peek();
        if (character === '[' || character === '{') {
          if (open.length >= maximumDepth) throw new Failure('exceeded max depth');
          this.#position++;
          if (this.#opensEmpty(character)) expectValue = false;
          else {
            open.push(character);
            if (character === '{') this.#key();
            continue;
          }
        } else {
          this.#scalar(character);
          expectValue = false;
        }
      }
      const container = open.at(-1);
      if (!container) return;
      expectValue = this.#afterElement(container);
      if (!expectValue) open.pop();
    }
  }

  #opensEmpty(bracket: '[' | '{'): boolean {
    this.skipBlanks();
    if (this.#text[this.#position] !== (bracket === '[' ? ']' : '}')) return false;
    this.#position++;
    return true;
  }

  /** @returns true when another element follows, false when the container ends */
  #afterElement(container: '[' | '{'): boolean {
    this.skipBlanks();
    const where = container === '[' ? 'after array element' : 'after object key:value pair';
    const character = this.#peek();
    this.#position++;
    if (character === ',') {
      if (container === '{') this.#key();
      return true;
    }
    if (character === (container === '[' ? ']' : '}')) return false;
    throw unexpected(character, where);
  }

  #key(): void {
    this.skipBlanks();
    const character = this.#peek();
    if (character !== '"') throw unexpected(character, 'looking for beginning of object key string');
    this.#string();
    this.skipBlanks();
    const colon = this.#peek();
    if (colon !== ':') throw unexpected(colon, 'after object key');
    this.#position++;
  }

  #scalar(character: string): void {
    const word = ['true', 'false', 'null'].find((candidate) => candidate[0] === character);
    if (character === '"') this.#string();
    else if (character === '-' || (character >= '0' && character <= '9')) this.#number();
    else if (word) this.#word(word);
    else throw unexpected(character, 'looking for beginning of value');
  }

  #word(word: string): void {
    for (const expected of word) {
      const character = this.#peek();
      if (character !== expected) throw unexpected(character, `in literal ${word} (expecting '${expected}')`);
      this.#position++;
    }
  }

  #number(): void {
    if (this.#text[this.#position] === '-') this.#position++;
    const digits = (): void => {
      const character = this.#peek();
      if (character < '0' || character > '9') throw unexpected(character, 'in numeric literal');
      while (/^[0-9]$/.test(this.#text[this.#position] ?? '')) this.#position++;
    };
    if (this.#peek() === '0') this.#position++;
    else digits();
    if (this.#text[this.#position] === '.') {
      this.#position++;
      digits();
    }
    if (/^[eE]$/.test(this.#text[this.#position] ?? '')) {
      this.#position++;
      if (/^[+-]$/.test(this.#text[this.#position] ?? '')) this.#position++;
      digits();
    }
  }

  #string(): void {
    this.#position++;
    while (true) {
      const character = this.#peek();
      this.#position++;
      if (character === '"') return;
      if (character < ' ') throw unexpected(character, 'in string literal');
      if (character !== '\\') continue;
      const escaped = this.#peek();
      this.#position++;
      if (escaped === 'u') {
        for (let count = 0; count < 4; count++) {
          const digit = this.#peek();
          if (!/^[0-9a-fA-F]$/.test(digit)) throw unexpected(digit, 'in \\u hexadecimal character escape');
          this.#position++;
        }
      } else if (!'bfnrt\\/"'.includes(escaped)) throw unexpected(escaped, 'in string escape code');
    }
  }

  #peek(): string {
    const character = this.#text[this.#position];
    if (character === undefined) throw new Failure('unexpected EOF');
    return character;
  }
}

function unexpected(character: string, where: string): Failure {
  const shown = character === "'" ? "'\\''" : character === '"' ? `'"'` : `'${JSON.stringify(character).slice(1, -1)}'`;
  return new Failure(`invalid character ${shown} ${where}`);
}
